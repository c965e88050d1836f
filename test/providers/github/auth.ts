import { createPrivateKey, createPublicKey, createSign, createVerify, randomBytes } from "node:crypto";
import { HttpFailure } from "./rest/failure.ts";
import type { Account, App, Installation, Permissions, Token } from "./state/accounts.ts";
import type { Actor, World } from "./state/world.ts";

/** The caller of a request. */
export type Identity =
  | { kind: "anonymous" }
  | { kind: "app"; app: App }
  | { kind: "installation"; installation: Installation; token: Token }
  | { kind: "user"; user: Account; token: Token };

const secondsOfHour = 3600;

/** Reads `Authorization`: Bearer or token (REST), Basic with the token as password (git). Answers 401 if it is invalid. */
export function identify(world: World, authorization: string | undefined): Identity {
  const credential = credentialOf(authorization);
  if (credential === undefined) return { kind: "anonymous" };
  if (credential.startsWith("eyJ")) return { kind: "app", app: verifyJwt(world, credential) };
  const token = world.data.tokens.get(credential);
  if (!token || token.revoked || expired(world, token)) throw new HttpFailure(401, "Bad credentials");
  if (token.user) return { kind: "user", user: token.user, token };
  if (!token.installation) throw new HttpFailure(401, "Bad credentials");
  if (token.installation.suspendedAt !== null) throw new HttpFailure(403, "This installation has been suspended");
  return { kind: "installation", installation: token.installation, token };
}

/** The name of an identity in logs and in the audit; never its token. */
export function describeIdentity(identity: Identity): string {
  if (identity.kind === "anonymous") return "anonymous";
  if (identity.kind === "app") return `app ${identity.app.slug}`;
  if (identity.kind === "user") return identity.user.login;
  return `${identity.installation.app.bot.login} (installation ${identity.installation.id})`;
}

/** The account and App that an identity acts as. */
export function actorOf(identity: Identity): Actor {
  if (identity.kind === "user") return { account: identity.user, app: null };
  if (identity.kind === "installation") {
    return { account: identity.installation.app.bot, app: identity.installation.app };
  }
  throw new HttpFailure(401, "Requires authentication");
}

/** Creates an installation token for one hour, in the long form that GitHub has used since 2026. */
export function mintInstallationToken(
  world: World,
  installation: Installation,
  grant: { permissions: Permissions; repositoryIds: Set<number> | null },
): Token {
  const nowMs = world.clock.now().getTime();
  const claims = { iat: Math.floor(nowMs / 1000), jti: randomBytes(16).toString("hex"), sub: installation.id };
  const unsigned = `${encode({ alg: "ES256", typ: "JWT" })}.${encode(claims)}`;
  const value = `ghs_${installation.app.id}_${unsigned}.${randomBytes(64).toString("base64url")}`;
  const expiresAtMs = nowMs + secondsOfHour * 1000;
  const token: Token = { value, installation, user: null, ...grant, expiresAtMs, revoked: false };
  world.data.tokens.set(value, token);
  return token;
}

/** Creates a classic token of a person. It has all permissions of the person. */
export function mintUserToken(world: World, user: Account): Token {
  const value = `ghp_${randomBytes(27).toString("base64url").replaceAll(/[-_]/g, "x")}`;
  const token: Token = {
    value,
    installation: null,
    user,
    permissions: {},
    repositoryIds: null,
    expiresAtMs: null,
    revoked: false,
  };
  world.data.tokens.set(value, token);
  return token;
}

/** Signs an App's JWT as GitHub's documentation describes, for tests that act as the App. */
export function signAppJwt(world: World, app: App, lifetimeSeconds = 540): string {
  const now = Math.floor(world.clock.now().getTime() / 1000);
  const unsigned = `${encode({ alg: "RS256", typ: "JWT" })}.${encode({ iat: now - 60, exp: now + lifetimeSeconds, iss: app.id })}`;
  const signature = createSign("RSA-SHA256").update(unsigned).sign(createPrivateKey(app.privateKey), "base64url");
  return `${unsigned}.${signature}`;
}

function credentialOf(authorization: string | undefined): string | undefined {
  const [scheme = "", value = ""] = (authorization ?? "").split(/\s+/, 2);
  if (value === "") return undefined;
  if (scheme.toLowerCase() !== "basic") return value;
  const [user = "", password = ""] = Buffer.from(value, "base64").toString().split(/:(.*)/s);
  return password === "" || password === "x-oauth-basic" ? user : password;
}

function expired(world: World, token: Token): boolean {
  return token.expiresAtMs !== null && world.clock.now().getTime() >= token.expiresAtMs;
}

function verifyJwt(world: World, jwt: string): App {
  const [header = "", payload = "", signature = ""] = jwt.split(".");
  const { alg } = decode(header);
  const claims = decode(payload);
  const app = world.data.apps.find((candidate) =>
    [String(candidate.id), candidate.clientId].includes(String(claims["iss"])),
  );
  if (!app || app.publicKey === "") throw new HttpFailure(404, "Integration not found");
  const verified = createVerify("RSA-SHA256").update(`${header}.${payload}`);
  if (alg !== "RS256" || !verified.verify(createPublicKey(app.publicKey), signature, "base64url")) {
    throw new HttpFailure(401, "A JSON web token could not be decoded");
  }
  checkTimes(claims, Math.floor(world.clock.now().getTime() / 1000));
  return app;
}

/** GitHub's messages. Clients recognise clock skew by them. */
function checkTimes(claims: Record<string, unknown>, now: number): void {
  const { exp, iat } = claims;
  const expWords = "'Expiration time' claim ('exp')";
  if (typeof exp !== "number" || exp <= now) {
    const rule = "must be a numeric value representing the future time at which the assertion expires";
    throw new HttpFailure(401, `${expWords} ${rule}`);
  }
  if (exp > now + 600) throw new HttpFailure(401, `${expWords} is too far in the future`);
  if (typeof iat !== "number" || iat > now + 30) {
    const rule = "must be an Integer representing the time that the assertion was issued";
    throw new HttpFailure(401, `'Issued at' claim ('iat') ${rule}`);
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decode(part: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
  } catch {
    throw new HttpFailure(401, "A JSON web token could not be decoded");
  }
}
