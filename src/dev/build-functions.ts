import { copyFile, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';
import { POLICIES } from '../access/policy-engine.ts';
import { buildWidgetPages } from './build-widgets.ts';
import { buildWebAssets } from './web-assets.ts';

const FUNCTIONS = join(import.meta.dirname, '../../functions');

/** Bundles the function and the browser code into `functions/lib`, which is what is deployed. @returns that folder. */
export async function buildFunctions(): Promise<string> {
  const out = join(FUNCTIONS, 'lib');
  await rm(out, { recursive: true, force: true });
  await mkdir(join(out, 'web'), { recursive: true });
  await build({
    entryPoints: [join(FUNCTIONS, 'index.ts')],
    outfile: join(out, 'index.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    // CommonJS has no import.meta; packages that read it get this file's own address.
    banner: { js: "const __bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    define: { 'import.meta.url': '__bundleUrl', 'import.meta.dirname': '__dirname' },
    external: ['firebase-functions', 'pg-native'],
    logLevel: 'warning',
    logOverride: { 'empty-import-meta': 'silent' },
  });
  await copyPolicies(out);
  const index: Record<string, unknown> = {};
  for (const [path, { body, ...asset }] of await buildWebAssets()) {
    index[path] = { ...asset, file: basename(path) };
    await writeFile(join(out, 'web', basename(path)), body);
  }
  await writeFile(join(out, 'web', 'index.json'), JSON.stringify(index));
  const widgets = Object.fromEntries(await buildWidgetPages());
  await writeFile(join(out, 'web', 'widgets.json'), JSON.stringify(widgets));
  return out;
}

/** Cedar's program and the policies are read from beside the bundle. */
async function copyPolicies(out: string): Promise<void> {
  const cedar = createRequire(import.meta.url).resolve('@cedar-policy/cedar-wasm/nodejs');
  await copyFile(join(dirname(cedar), 'cedar_wasm_bg.wasm'), join(out, 'cedar_wasm_bg.wasm'));
  await cp(POLICIES, join(out, 'policies'), { recursive: true });
}

if (import.meta.main) await buildFunctions();
