import { HubError } from '../../base/errors.ts';

/**
 * The id of each input after a failure that leaves the outcome open, so that a
 * retry can name it. `ids` are those of the valid inputs, in order, the ones
 * made by the hub among them. Where it cannot be told which input a made id
 * belongs to, because an invalid one without an id is among them, it is left
 * out: a wrong id would store an event twice.
 */
export function nameUnknown(
  inputs: readonly object[],
  ids: readonly string[],
): readonly (string | undefined)[] {
  const given = inputs.map(givenId);
  const known = new Set(given);
  const made = ids.filter((id) => !known.has(id));
  const mayHaveMade = (index: number) =>
    given[index] === undefined && !(inputs[index] instanceof HubError);
  if (made.length !== inputs.filter((_, index) => mayHaveMade(index)).length) return given;
  let next = 0;
  return given.map((id, index) => {
    if (!mayHaveMade(index)) return id;
    next += 1;
    return made[next - 1];
  });
}

function givenId(input: object): string | undefined {
  return 'id' in input && typeof input.id === 'string' ? input.id : undefined;
}
