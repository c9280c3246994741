import { z } from 'zod';
import { InputError } from './kernel/errors.ts';
import { type OAuthSettings, readOAuthSettings } from './oauth/settings.ts';
import { PRODUCTION_RULES } from './production.ts';

/** Everything that the environment decides, checked. Secrets are in here: never log it. */
export interface Config {
  /** True only on a loopback origin with CHARTSEAL_ENV=development. */
  readonly development: boolean;
  /** The public origin, without a trailing slash; issuer and MCP address derive from it. */
  readonly origin: string;
  readonly projectId: string;
  readonly store: { readonly kind: 'firestore' } | { readonly kind: 'postgres'; readonly url: string };
  readonly kms:
    | { readonly kind: 'aws'; readonly region: string; readonly identity: AwsIdentity | null }
    | { readonly kind: 'emulator'; readonly region: string; readonly endpoint: string }
    | { readonly kind: 'local'; readonly keys: readonly LocalKeyConfig[] };
  /** Private ES256 JWKs; the first signs, all are published. */
  readonly signingKeys: readonly JsonWebKey[];
  readonly cookieKeys: readonly string[];
  /** Where signed checkpoints go, under another administrator; null when nowhere. */
  readonly checkpoints:
    | { readonly kind: 'bucket'; readonly bucket: string }
    | { readonly kind: 'folder'; readonly path: string }
    | null;
  /** Where the bytes of documents are, sealed. */
  readonly documents:
    | { readonly kind: 'bucket'; readonly bucket: string }
    | { readonly kind: 'folder'; readonly path: string };
  /** The log bucket under another administrator that keeps the journal; null when none was named. */
  readonly journal: string | null;
  /** Who looks at each checkpoint and signs it too: their C2SP key and address. */
  readonly witnesses: readonly { readonly key: string; readonly url: string }[];
  /** How many different charts within an hour a person, or a client that many share, opens as usual. */
  readonly chartLimits: { readonly person: ChartLimits; readonly client: ChartLimits };
  /** How long records are kept at the least, and backups at the most. */
  readonly retention: { readonly recordMs: number; readonly backupMs: number };
  /** The oldest that a patient's key or an index key becomes before it is rotated, in ms. */
  readonly keyMaxAgeMs: number;
  /** Sign-in and tokens. */
  readonly oauth: OAuthSettings;
  readonly firebase: { readonly apiKey: string; readonly authEmulatorUrl: string | null };
}

/** Over `slowAfter` charts each further one waits; over `stopAfter` none opens. */
export interface ChartLimits {
  readonly slowAfter: number;
  readonly stopAfter: number;
}

/** The AWS role that a function on Google Cloud assumes by its own identity; null takes the SDK's default chain. */
export interface AwsIdentity {
  readonly roleArn: string;
  /** The role that may re-encrypt wrapped keys, where the app's may not; null where that does both. */
  readonly rewrapRoleArn: string | null;
  /** The role that makes a tenant's next key and ends the last (strong mode of erasure); null where nobody may. */
  readonly epochRoleArn: string | null;
  /** The `aud` of the identity token, as the role's trust policy names it. */
  readonly audience: string;
}

/** One local wrapping key. */
export interface LocalKeyConfig {
  readonly version: number;
  readonly hex: string;
  readonly status: 'active' | 'deprecated' | 'deleted';
}

const DAY_MS = 86_400_000;
const YEAR_MS = 365.25 * DAY_MS;
/** Most of the states' laws on adults' records ask for seven years or less after the last treatment. */
const RECORD_YEARS = 7;

/** A bucket, or a folder in development. */
const PLACE = z.string().regex(/^(?:gs:\/\/[a-z0-9._-]+|\/.+)$/);

/** `SLOW,STOP`, in charts an hour; rows hold at most some thousands. */
const LIMITS = /^[1-9]\d{0,3},[1-9]\d{0,3}$/;

const ROLE = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/;

const environment = z.object({
  CHARTSEAL_ENV: z.enum(['production', 'development']).default('production'),
  CHARTSEAL_ORIGIN: z.url(),
  CHARTSEAL_STORE: z.enum(['firestore', 'postgres']).default('firestore'),
  CHARTSEAL_DATABASE_URL: z.string().optional(),
  CHARTSEAL_KMS: z.enum(['aws', 'emulator', 'local']).default('aws'),
  CHARTSEAL_KMS_ENDPOINT: z.url().optional(),
  CHARTSEAL_LOCAL_KEYS: z.string().optional(),
  CHARTSEAL_SIGNING_KEYS: z.string(),
  CHARTSEAL_COOKIE_KEYS: z.string(),
  CHARTSEAL_CHECKPOINTS: PLACE.optional(),
  CHARTSEAL_DOCUMENTS: PLACE,
  CHARTSEAL_JOURNAL: z
    .string()
    .regex(/^projects\/[a-z0-9:.-]+\/locations\/[a-z0-9-]+\/buckets\/[A-Za-z0-9_.-]+$/)
    .optional(),
  CHARTSEAL_WITNESSES: z
    .string()
    .regex(/^\S+ https?:\/\/[^\s,]+(?:,\S+ https?:\/\/[^\s,]+)*$/)
    .optional(),
  CHARTSEAL_PERSON_CHARTS: z.string().regex(LIMITS).default('40,80'),
  CHARTSEAL_CLIENT_CHARTS: z.string().regex(LIMITS).default('600,1200'),
  CHARTSEAL_RETENTION_YEARS: z
    .string()
    .regex(/^\d{1,2}$/)
    .optional(),
  CHARTSEAL_BACKUP_DAYS: z
    .string()
    .regex(/^\d{1,3}$/)
    .default('35'),
  CHARTSEAL_KEY_MAX_AGE_DAYS: z.coerce.number().int().min(30).max(3_650).default(365),
  CHARTSEAL_FIREBASE_API_KEY: z.string().min(1),
  AWS_REGION: z.string().default('us-east-1'),
  CHARTSEAL_AWS_ROLE: z.string().regex(ROLE).optional(),
  CHARTSEAL_AWS_REWRAP_ROLE: z.string().regex(ROLE).optional(),
  CHARTSEAL_AWS_EPOCH_ROLE: z.string().regex(ROLE).optional(),
  CHARTSEAL_AWS_AUDIENCE: z.string().min(1).default('chartseal'),
  GCLOUD_PROJECT: z.string().min(1),
  FIREBASE_AUTH_EMULATOR_HOST: z.string().optional(),
});
type Environment = z.infer<typeof environment>;

/**
 * Reads the configuration from environment variables.
 *
 * @throws InputError `CONFIG` naming the variable and the cure, never its value.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const named = { ...env, GCLOUD_PROJECT: env['GCLOUD_PROJECT'] ?? env['GOOGLE_CLOUD_PROJECT'] };
  const parsed = environment.safeParse(named);
  if (!parsed.success) {
    const names = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))];
    throw refuse(`Set ${names.join(', ')}: missing or of the wrong form.`);
  }
  const vars = parsed.data;
  const development = vars.CHARTSEAL_ENV === 'development';
  const origin = new URL(vars.CHARTSEAL_ORIGIN);
  if (origin.origin !== vars.CHARTSEAL_ORIGIN)
    throw refuse('CHARTSEAL_ORIGIN is an origin without path or slash.');
  if (development && !isLoopback(origin.hostname))
    throw refuse('CHARTSEAL_ENV=development serves only a loopback CHARTSEAL_ORIGIN.');
  if (!development) checkProduction(named);
  return {
    development,
    origin: origin.origin,
    projectId: vars.GCLOUD_PROJECT,
    store: storeOf(vars),
    kms: kmsOf(vars),
    signingKeys: signingKeysOf(vars.CHARTSEAL_SIGNING_KEYS),
    cookieKeys: cookieKeysOf(vars.CHARTSEAL_COOKIE_KEYS),
    checkpoints: vars.CHARTSEAL_CHECKPOINTS === undefined ? null : placeOf(vars.CHARTSEAL_CHECKPOINTS),
    documents: placeOf(vars.CHARTSEAL_DOCUMENTS),
    journal: vars.CHARTSEAL_JOURNAL ?? null,
    witnesses: witnessesOf(vars.CHARTSEAL_WITNESSES),
    chartLimits: {
      person: limitsOf('CHARTSEAL_PERSON_CHARTS', vars),
      client: limitsOf('CHARTSEAL_CLIENT_CHARTS', vars),
    },
    retention: {
      recordMs: Number(vars.CHARTSEAL_RETENTION_YEARS ?? (development ? 0 : RECORD_YEARS)) * YEAR_MS,
      backupMs: Number(vars.CHARTSEAL_BACKUP_DAYS) * DAY_MS,
    },
    keyMaxAgeMs: vars.CHARTSEAL_KEY_MAX_AGE_DAYS * 86_400_000,
    oauth: readOAuthSettings(env, { development }),
    firebase: {
      apiKey: vars.CHARTSEAL_FIREBASE_API_KEY,
      authEmulatorUrl:
        development && vars.FIREBASE_AUTH_EMULATOR_HOST ? `http://${vars.FIREBASE_AUTH_EMULATOR_HOST}` : null,
    },
  };
}

function checkProduction(env: Readonly<Record<string, string | undefined>>): void {
  for (const { broken } of PRODUCTION_RULES) {
    const says = broken(env);
    if (says !== null) throw refuse(says);
  }
}

function storeOf(vars: Environment): Config['store'] {
  if (vars.CHARTSEAL_STORE === 'firestore') return { kind: 'firestore' };
  if (vars.CHARTSEAL_DATABASE_URL === undefined)
    throw refuse('CHARTSEAL_STORE=postgres needs CHARTSEAL_DATABASE_URL.');
  return { kind: 'postgres', url: vars.CHARTSEAL_DATABASE_URL };
}

function placeOf(place: string): Config['documents'] {
  return place.startsWith('gs://')
    ? { kind: 'bucket', bucket: place.slice('gs://'.length) }
    : { kind: 'folder', path: place };
}

/** `KEY URL,KEY URL`. */
function witnessesOf(text: string | undefined): Config['witnesses'] {
  const entries = text === undefined ? [] : text.split(',');
  return entries.map((entry) => {
    const [key = '', url = ''] = entry.split(' ');
    return { key, url };
  });
}

function limitsOf(
  name: 'CHARTSEAL_PERSON_CHARTS' | 'CHARTSEAL_CLIENT_CHARTS',
  vars: Environment,
): ChartLimits {
  const [slowAfter = 0, stopAfter = 0] = vars[name].split(',').map(Number);
  if (slowAfter >= stopAfter) throw refuse(`${name} is SLOW,STOP with the first below the second.`);
  return { slowAfter, stopAfter };
}

function kmsOf(vars: Environment): Config['kms'] {
  if (vars.CHARTSEAL_KMS === 'aws') {
    const { AWS_REGION: region, CHARTSEAL_AWS_ROLE: roleArn, CHARTSEAL_AWS_AUDIENCE: audience } = vars;
    const rewrapRoleArn = vars.CHARTSEAL_AWS_REWRAP_ROLE ?? null;
    const epochRoleArn = vars.CHARTSEAL_AWS_EPOCH_ROLE ?? null;
    const identity = roleArn === undefined ? null : { roleArn, rewrapRoleArn, epochRoleArn, audience };
    return { kind: 'aws', region, identity };
  }
  if (vars.CHARTSEAL_KMS === 'local')
    return { kind: 'local', keys: localKeysOf(vars.CHARTSEAL_LOCAL_KEYS ?? '') };
  if (vars.CHARTSEAL_KMS_ENDPOINT === undefined)
    throw refuse('CHARTSEAL_KMS=emulator needs CHARTSEAL_KMS_ENDPOINT.');
  return { kind: 'emulator', region: vars.AWS_REGION, endpoint: vars.CHARTSEAL_KMS_ENDPOINT };
}

/** `1:HEX:active,2:HEX:deprecated`; the status may be left out and means active. */
function localKeysOf(text: string): LocalKeyConfig[] {
  return text.split(',').map((entry) => {
    const [version = '', hex = '', status = 'active'] = entry.trim().split(':');
    const known = (['active', 'deprecated', 'deleted'] as const).find((name) => name === status);
    if (!/^[1-9]\d{0,8}$/.test(version) || !/^[0-9a-f]{64}$/i.test(hex) || known === undefined) {
      throw refuse('CHARTSEAL_LOCAL_KEYS is a list of VERSION:64_HEX:STATUS. Run "chartseal keys generate".');
    }
    return { version: Number(version), hex, status: known };
  });
}

function signingKeysOf(text: string): JsonWebKey[] {
  const keys = parseJson(text);
  const sound =
    Array.isArray(keys) &&
    keys.length > 0 &&
    keys.every((key) => key?.kty === 'EC' && key.crv === 'P-256' && typeof key.d === 'string');
  if (!sound) throw refuse('CHARTSEAL_SIGNING_KEYS is a JSON array of private P-256 JWKs.');
  return keys as JsonWebKey[];
}

function cookieKeysOf(text: string): string[] {
  const keys = text.split(',').map((key) => key.trim());
  if (keys.some((key) => key.length < 32))
    throw refuse('CHARTSEAL_COOKIE_KEYS is a list of secrets of 32 characters or more.');
  return keys;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const isLoopback = (host: string): boolean => ['127.0.0.1', 'localhost', '[::1]'].includes(host);
const refuse = (message: string): InputError => new InputError('CONFIG', message);
