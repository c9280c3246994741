import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { build } from 'esbuild';
import { VERIFIER_PATH } from '../compose-parts.ts';
import { buildVerifier } from './build-verifier.ts';

/** One file for browsers. */
export interface WebAsset {
  readonly body: Buffer;
  readonly type: string;
  /** A strong entity tag: the body's hash, quoted. */
  readonly etag: string;
}

const WEB = join(import.meta.dirname, '../web');
const TYPES = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8' } as const;

/** What is bundled: the name below `/assets/` (without the ending) → the entry point below `src/web/`. */
const ENTRIES = {
  'sign-in': 'sign-in/sign-in.ts',
  pages: 'styles/pages.css',
  console: 'console/console.ts',
  'console-worker': 'console/worker.ts',
  'console-style': 'styles/console.css',
} as const;

/**
 * Bundles the browser code, and the offline verifier beside it, in memory. The development stack does this at start; the deployable bundle reads files
 * made from the same map, so that esbuild is never deployed.
 *
 * @returns URL path (`/assets/sign-in.js`) → file.
 */
export async function buildWebAssets(): Promise<Map<string, WebAsset>> {
  const verifier = buildVerifier();
  const { outputFiles } = await build({
    entryPoints: Object.entries(ENTRIES).map(([out, entry]) => ({ out, in: join(WEB, entry) })),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'silent',
    outdir: '/assets',
    write: false,
  });
  const assets = outputFiles.map(({ path, contents }) => assetOf(path, Buffer.from(contents)));
  return new Map([...assets, assetOf(VERIFIER_PATH, Buffer.from(await verifier))]);
}

function assetOf(path: string, body: Buffer): [string, WebAsset] {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return [path, { body, type: TYPES[path.endsWith('.css') ? 'css' : 'js'], etag }];
}
