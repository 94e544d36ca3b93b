/** The variables of this process. No other file may look at them. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
