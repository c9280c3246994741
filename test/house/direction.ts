/** The house's import direction, low to high. A module may import from its own layer or a lower one. */
const LAYERS: readonly (readonly string[])[] = [
  ['kernel'],
  ['crypto', 'audit'],
  ['access'],
  ['clinic'],
  ['payments'],
  ['lifecycle'],
  ['compliance'],
  ['oauth', 'mcp'],
  ['wallet', 'console', 'documents', 'emergency', 'privacy'],
  ['storage', 'http'],
  ['production'],
  ['config', 'collections', 'hosting'],
  ['backup-plan'],
  ['compose-parts'],
  ['compose-pages', 'compose-ready', 'configuration'],
  ['compose-http'],
  ['compose'],
  ['dev'],
  ['cli', 'functions'],
];

/** What only some places may import: package → the path prefixes that may. */
const RESERVED: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/': ['src/crypto/kms-', 'src/dev/'],
  'firebase-admin': [
    'src/storage/firestore/',
    'src/storage/tasks/',
    'src/oauth/sign-in',
    'src/dev/',
    'src/compose.ts',
  ],
  pg: ['src/storage/postgres/', 'src/dev/'],
};

/** One import that breaks the house. */
export interface Breach {
  readonly file: string;
  readonly imports: string;
  readonly why: string;
}

/**
 * Finds breaches among `files` (path below the root → source). `web` is browser code: it imports itself, and the
 * verifier, which runs anywhere; a module of Node's in it would break the bundle.
 */
export function findBreaches(files: ReadonlyMap<string, string>): Breach[] {
  const breaches: Breach[] = [];
  for (const [file, source] of files) {
    for (const specifier of importsOf(source)) {
      const why = specifier.startsWith('.') ? wrongWay(file, specifier) : reserved(file, specifier);
      if (why !== null) breaches.push({ file, imports: specifier, why });
    }
  }
  return breaches;
}

function importsOf(source: string): string[] {
  const found = source.matchAll(
    /(?:^|\n)\s*(?:import|export)[^'"();]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]|(?:^|\n)import\s+['"]([^'"]+)['"]/g,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

function wrongWay(file: string, specifier: string): string | null {
  const from = layerOf(file);
  const to = layerOf(resolve(file, specifier));
  if (from === to) return null;
  if (from === 'web' && to === 'audit') return null;
  if (from === 'web' || to === 'web')
    return `browser code (web) shares no import with ${from === 'web' ? to : from}`;
  const fromRank = rankOf(from);
  const toRank = rankOf(to);
  if (fromRank < 0 || toRank < 0) return `no layer is named for ${fromRank < 0 ? from : to}`;
  if (toRank < fromRank) return null;
  return `${from} may not import ${to}: it is not below it`;
}

function reserved(file: string, specifier: string): string | null {
  for (const [prefix, places] of Object.entries(RESERVED)) {
    const hit = prefix.endsWith('/')
      ? specifier.startsWith(prefix)
      : specifier === prefix || specifier.startsWith(`${prefix}/`);
    if (hit && !places.some((place) => file.startsWith(place)))
      return `${specifier} is reserved for ${places.join(', ')}`;
  }
  return null;
}

const rankOf = (layer: string): number => LAYERS.findIndex((names) => names.includes(layer));

function layerOf(path: string): string {
  const parts = path.split('/');
  return parts[0] === 'src' ? (parts[1] ?? '').replace(/\.ts$/, '') : (parts[0] ?? '');
}

function resolve(file: string, specifier: string): string {
  const parts = file.split('/').slice(0, -1);
  for (const step of specifier.split('/')) {
    if (step === '..') parts.pop();
    else if (step !== '.') parts.push(step);
  }
  return parts.join('/');
}
