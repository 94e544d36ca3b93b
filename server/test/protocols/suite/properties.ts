import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EventFields, type ProtocolDriver, Refused } from '../drivers/protocol-driver.ts';
import { mutatedEvent, validEvent } from './arbitrary-event.ts';
import { aSend, type CreateHarness, inTurn, useHub } from './hub-under-test.ts';

/** What holds for every event there could be. */
export function propertySuite(createHarness: CreateHarness): void {
  describe('any event', () => {
    const hub = useHub(createHarness);

    it('that is valid is read back equal over every protocol, whichever it came by', async () => {
      await fc.assert(
        fc.asyncProperty(validEvent, fc.nat({ max: 2 }), async ({ fields, readBack }, sender) => {
          const event = aSend({ ...fields });
          const { id, position } = await inTurn(hub().all, sender).send(event);
          const [first, ...others] = await Promise.all(
            hub().all.map((reader) => reader.get(id, position)),
          );
          expect(first).toEqual({
            ...readBack,
            id: event.id,
            timestamp: readBack.timestamp ?? first?.received_at,
            received_at: expect.any(String),
            position,
          });
          for (const seen of others) expect(seen).toEqual(first);
        }),
        { numRuns: 60 },
      );
    });

    it('that may be wrong gets the same verdict over every protocol', async () => {
      await fc.assert(
        fc.asyncProperty(mutatedEvent, async (fields) => {
          const verdicts = await Promise.all(
            hub().all.map((driver) => verdictOf(driver, { ...aSend(), ...fields })),
          );
          for (const verdict of verdicts) expect(verdict).toEqual(verdicts[0]);
        }),
        { numRuns: 120 },
      );
    });
  });
}

/** `taken`, or every fault that was found. GraphQL's schema refuses a missing field by itself, before the hub sees it. */
async function verdictOf(driver: ProtocolDriver, event: EventFields): Promise<unknown> {
  try {
    await driver.send(event);
    return 'taken';
  } catch (reason) {
    if (!(reason instanceof Refused)) throw reason;
    const { code, errors } = reason.failure;
    const lacks = [event.user_id, event.event_type, event.amount].includes(undefined);
    return lacks ? { code } : { code, errors };
  }
}
