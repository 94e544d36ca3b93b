import { readFileSync } from 'node:fs';
import { commandLineEnv } from '../config/command-line-env.ts';
import { environment } from '../config/environment.ts';
import { usageError } from './exit-code.ts';

/**
 * What commands that talk to a hub show it: an API key or a token, from a
 * variable or from the file that one names. Never from a flag, which others on
 * the machine could read.
 */
export function credential(): string | undefined {
  const env = environment();
  const { apiKey, apiKeyFile } = commandLineEnv;
  const [value, path] = [env[apiKey], env[apiKeyFile]];
  if (!path) return value || undefined;
  if (value) throw usageError(`${apiKey} and ${apiKeyFile} are both set: keep one`);
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (reason) {
    const why = reason instanceof Error ? reason.message : String(reason);
    throw usageError(`${apiKeyFile}: the file cannot be read: ${why}`);
  }
}
