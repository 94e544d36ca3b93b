import type { Secret } from './schema.ts';

/** From the colon after the user to the last `@`: a password may hold characters that a URL should have escaped. */
const userInfo = /(\/\/[^:@/?#\s]*):\S*@/g;
const secretParameter = /([?&][a-z]*(?:password|pass|secret|token)=)[^&#\s]*/gi;

/** The text with the passwords of its URLs made unreadable. */
export function maskPasswords(text: string): string {
  return text.replace(userInfo, '$1:***@').replace(secretParameter, '$1***');
}

/** A setting's value as it may be shown. */
export function shownValue(secret: Secret, text: string): string {
  return secret === 'whole' ? '***' : maskPasswords(text);
}
