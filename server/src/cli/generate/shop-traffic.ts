import { formatInstant, type Instant } from '../../base/clock.ts';
import type { OutgoingEvent } from '../clients/outgoing-event.ts';
import {
  catalogue,
  type Product,
  priceOf,
  type ShopCurrency,
  shopCurrencies,
} from './catalogue.ts';
import { Random, sumsOf } from './random.ts';

export interface TrafficOptions {
  /** The same seed gives the same customers, products, amounts and order of things. */
  readonly seed: string;
  /** In front of the number in ids and order numbers. */
  readonly idPrefix: string;
  readonly customers: number;
  /** What late events are late against; undefined for the moment they are made. */
  readonly lateBefore: Instant | undefined;
}

interface Customer {
  readonly userId: string;
  readonly currency: ShopCurrency;
}

interface Order {
  readonly orderId: string;
  readonly customer: Customer;
  readonly product: Product;
  readonly quantity: number;
  /** In the currency's smallest unit. */
  readonly amount: number;
}

/** Of all events: the rest are purchases. */
const returnShare = 0.08;
const refundShare = 0.04;
const lateShare = 0.01;
const lateMinutesMax = 120;
/** Orders that may still come back. */
const openOrdersMax = 2_000;

const productSums = sumsOf(catalogue.map(({ weight }) => weight));
const currencySums = sumsOf(shopCurrencies.map(({ weight }) => weight));

/**
 * The events of a small shop. Few customers buy much and many a little (Zipf);
 * a return or a refund belongs to an earlier purchase, and each order comes back
 * at most once, because both take away from net totals.
 */
export class ShopTraffic {
  readonly #random: Random;
  readonly #options: TrafficOptions;
  readonly #customers: readonly Customer[];
  readonly #activity: readonly number[];
  readonly #orders: Order[] = [];
  #count = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#customers = Array.from({ length: options.customers }, (_, index) => ({
      userId: `demo-${String(index + 1).padStart(5, '0')}`,
      currency: shopCurrencies[this.#random.index(currencySums)] ?? euro,
    }));
    this.#activity = sumsOf(this.#customers.map((_, rank) => 1 / (rank + 1) ** 0.9));
  }

  next(now: Instant): OutgoingEvent {
    this.#count += 1;
    const dice = this.#random.next();
    const order = dice < returnShare + refundShare ? this.#takeOrder() : undefined;
    const event =
      order === undefined
        ? this.#purchase()
        : dice < returnShare
          ? this.#comesBack(order, 'return', order.amount)
          : this.#comesBack(order, 'refund', Math.ceil(order.amount / this.#random.integer(1, 2)));
    const timestamp = this.#timestamp(now);
    const fields = { id: `${this.#options.idPrefix}-${this.#count}`, ...event, ...timestamp };
    return { id: fields.id, source: JSON.stringify(fields), fields };
  }

  #purchase() {
    const customer = this.#customers[this.#random.index(this.#activity)] ?? anybody;
    const product = catalogue[this.#random.index(productSums)] ?? anything;
    const quantity = this.#random.next() < 0.8 ? 1 : this.#random.integer(2, 4);
    const orderId = `order-${this.#options.idPrefix}-${this.#count}`;
    const amount = priceOf(product, customer.currency) * quantity;
    const order = { orderId, customer, product, quantity, amount };
    this.#orders.push(order);
    if (this.#orders.length > openOrdersMax) this.#orders.shift();
    return eventOf('purchase', order, amount, { quantity, product: product.name });
  }

  #comesBack(order: Order, eventType: 'return' | 'refund', amount: number) {
    const reason = this.#random.pick(['does not fit', 'broken on arrival', 'changed my mind']);
    return eventOf(eventType, order, amount, { quantity: order.quantity, reason });
  }

  #takeOrder(): Order | undefined {
    if (this.#orders.length === 0) return undefined;
    const index = this.#random.integer(0, this.#orders.length - 1);
    const [order] = this.#orders.splice(index, 1);
    return order;
  }

  /** Nearly all events happen when they are sent, and say nothing of the time. */
  #timestamp(now: Instant): { readonly timestamp?: string } {
    if (this.#random.next() >= lateShare) return {};
    const lateMs = this.#random.integer(1_000, lateMinutesMax * 60_000);
    return { timestamp: formatInstant((this.#options.lateBefore ?? now) - lateMs) };
  }
}

const euro: ShopCurrency = { code: 'EUR', decimals: 2, rate: 1, weight: 1 };
const anybody: Customer = { userId: 'demo-00001', currency: euro };
const anything: Product = { sku: 'gift', name: 'Gift', category: 'home', cents: 10_00, weight: 1 };

function eventOf(
  eventType: string,
  { orderId, customer, product }: Order,
  amount: number,
  facts: Readonly<Record<string, string | number>>,
) {
  return {
    user_id: customer.userId,
    event_type: eventType,
    amount: decimalText(amount, customer.currency.decimals),
    currency: customer.currency.code,
    metadata: { order_id: orderId, sku: product.sku, category: product.category, ...facts },
  };
}

function decimalText(units: number, decimals: 0 | 2): string {
  if (decimals === 0) return String(units);
  const text = String(units).padStart(3, '0');
  return `${text.slice(0, -2)}.${text.slice(-2)}`;
}
