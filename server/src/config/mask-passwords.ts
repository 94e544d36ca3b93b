const userInfo = /(\/\/[^:@/?#\s]*):[^@/?#\s]*@/g;
const secretParameter = /([?&](?:password|pass|secret|token)=)[^&#\s]*/gi;

/** The text with the passwords of its URLs made unreadable. */
export function maskPasswords(text: string): string {
  return text.replace(userInfo, '$1:***@').replace(secretParameter, '$1***');
}
