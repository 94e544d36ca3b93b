import { HubError } from '../../../base/errors.ts';

/** Where a field of the hub's vocabulary stands among the arguments of a GraphQL field. */
export interface Terms {
  /** The argument that holds the input: `/input`; empty when the arguments are the input. */
  readonly under?: string;
  /** Names that differ by more than their case, such as `limit`, which is `first` in a connection. */
  readonly names?: Readonly<Record<string, string>>;
}

/** Does what it is given; a failure of the input then speaks of GraphQL's names instead of the hub's. */
export async function inGraphqlTerms<Result>(
  terms: Terms,
  action: () => Promise<Result>,
): Promise<Result> {
  try {
    return await action();
  } catch (reason) {
    throw withGraphqlNames(HubError.from(reason), terms);
  }
}

/** `/user_id` becomes `/input/userId`, also at the start of the sentences. */
export function withGraphqlNames(error: HubError, terms: Terms): HubError {
  if (error.details.length === 0) return error;
  const details = error.details.map(({ pointer, code, detail }) => {
    const name = /^\/([^/]+)/.exec(pointer)?.[1] ?? '';
    const path = terms.names?.[name] ?? `${terms.under ?? ''}/${camelCase(name)}`;
    return {
      pointer: name === '' ? (terms.under ?? '') : `${path}${pointer.slice(name.length + 1)}`,
      code,
      detail: renamedStart(detail, name, path),
    };
  });
  const [first] = error.details;
  const message =
    first !== undefined && error.message.startsWith(first.detail)
      ? `${details[0]?.detail}${error.message.slice(first.detail.length)}`
      : error.message;
  return new HubError(error.code, message, {
    details,
    cause: error.cause,
    ...(error.retryAfterS === undefined ? {} : { retryAfterS: error.retryAfterS }),
    ...(error.ids === undefined ? {} : { ids: error.ids }),
    ...(error.position === undefined ? {} : { position: error.position }),
  });
}

function renamedStart(detail: string, name: string, path: string): string {
  if (name === '' || !detail.startsWith(`${name} `)) return detail;
  return `${path.slice(path.lastIndexOf('/') + 1)}${detail.slice(name.length)}`;
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
