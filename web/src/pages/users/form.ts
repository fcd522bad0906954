/** Roughly: the server knows the rule. */
export function validateEmail(email: string): Record<string, string> {
  return /^[^\s@]+@[^\s@]+$/.test(email.trim()) ? {} : { email: "An e-mail address, such as ada@example.com" };
}

/** The link that claims an account: its token is in the fragment, which no server sees. */
export const claimLink = (token: string, origin: string): string => `${origin}/#/claim/${encodeURIComponent(token)}`;
