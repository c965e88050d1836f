/** The access that a provider gave to one account (a workspace, an organisation, a site), with its tokens. */
export interface Grant {
  /** The provider's id of the account that was installed. */
  account: string;
  /** Its human-readable name; untrusted. */
  name: string;
  accessToken: string;
  /** For tokens that expire: exchanged for the next ones, once. */
  refreshToken?: string | undefined;
  /** When the access token expires, RFC 3339; absent if it does not. */
  expiresAt?: string | undefined;
  /** When the access token was given, RFC 3339. */
  givenAt: string;
  /** Human-readable: why the token could not be refreshed the last time. */
  refreshProblem?: string | undefined;
}
