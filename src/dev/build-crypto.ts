import { execFile } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '../..');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

/**
 * Builds `chartseal/crypto` as it is published: one module, whose dependencies stay imports, and its types.
 *
 * @param out where `crypto/index.js` and `crypto/index.d.ts` are written; emptied first.
 */
export async function buildCrypto(out: string): Promise<void> {
  await rm(out, { recursive: true, force: true });
  await build({
    entryPoints: [join(ROOT, 'src/crypto/index.ts')],
    outfile: join(out, 'crypto/index.js'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  });
  const project = join(ROOT, 'tsconfig.build.json');
  await promisify(execFile)(process.execPath, [TSC, '-p', project, '--outDir', out]);
  for (const file of await readdir(out, { recursive: true }))
    if (file.endsWith('.d.ts')) await importJavaScript(join(out, file));
}

/** The compiler leaves `.ts` in the imports of declarations, which not every reader's compiler follows. */
async function importJavaScript(file: string): Promise<void> {
  const source = await readFile(file, 'utf8');
  await writeFile(file, source.replaceAll(/(from '\.[^']*|import\("\.[^"]*)\.ts(?=['"])/g, '$1.js'));
}

if (import.meta.main) await buildCrypto(join(ROOT, 'dist'));
