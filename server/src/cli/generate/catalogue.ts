export interface Product {
  readonly sku: string;
  readonly name: string;
  readonly category: string;
  /** In cents of a euro. */
  readonly cents: number;
  /** How often it is bought, beside the others. */
  readonly weight: number;
}

/** A small shop: cheap things sell often, dear ones seldom. */
export const catalogue: readonly Product[] = [
  product('coffee', 'Coffee beans 1 kg', 'kitchen', 18_90, 30),
  product('mug', 'Enamel mug', 'kitchen', 12_50, 22),
  product('kettle', 'Electric kettle', 'kitchen', 49_00, 6),
  product('knife', "Cook's knife", 'kitchen', 89_95, 3),
  product('towel', 'Linen tea towel', 'home', 9_90, 18),
  product('lamp', 'Desk lamp', 'home', 64_00, 7),
  product('blanket', 'Wool blanket', 'home', 119_00, 4),
  product('candle', 'Beeswax candle', 'home', 7_80, 20),
  product('notebook', 'Dotted notebook', 'office', 14_20, 24),
  product('pen', 'Fountain pen', 'office', 38_00, 8),
  product('chair', 'Office chair', 'office', 349_00, 2),
  product('backpack', 'City backpack', 'travel', 99_90, 6),
  product('bottle', 'Steel bottle', 'travel', 27_50, 14),
  product('suitcase', 'Cabin suitcase', 'travel', 189_00, 2),
  product('socks', 'Merino socks', 'clothing', 16_00, 20),
  product('shirt', 'Oxford shirt', 'clothing', 69_00, 9),
  product('jacket', 'Rain jacket', 'clothing', 159_00, 4),
  product('headphones', 'Wireless headphones', 'electronics', 129_99, 6),
  product('charger', 'USB-C charger', 'electronics', 29_99, 12),
  product('laptop', 'Laptop 14 inch', 'electronics', 1_249_00, 1),
];

export interface ShopCurrency {
  readonly code: string;
  readonly decimals: 0 | 2;
  /** For one euro, roughly: these are prices of a demo. */
  readonly rate: number;
  /** How many customers pay with it, beside the others. */
  readonly weight: number;
}

export const shopCurrencies: readonly ShopCurrency[] = [
  { code: 'EUR', decimals: 2, rate: 1, weight: 55 },
  { code: 'USD', decimals: 2, rate: 1.1, weight: 25 },
  { code: 'GBP', decimals: 2, rate: 0.85, weight: 12 },
  { code: 'JPY', decimals: 0, rate: 165, weight: 8 },
];

/** The price of one piece, in the currency's smallest unit. */
export function priceOf({ cents }: Product, { rate, decimals }: ShopCurrency): number {
  return Math.round(decimals === 2 ? cents * rate : (cents * rate) / 100);
}

function product(
  sku: string,
  name: string,
  category: string,
  cents: number,
  weight: number,
): Product {
  return { sku, name, category, cents, weight };
}
