import { execFile } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '../..');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
/** What other apps may import: each is `src/NAME/index.ts`. */
const EXPORTS = ['crypto', 'compliance'] as const;

/**
 * Builds `chartseal/crypto` and `chartseal/compliance` as they are published: modules that share what they have in common
 * and whose dependencies stay imports, and their types.
 *
 * @param out where `NAME/index.js` and `NAME/index.d.ts` are written; emptied first.
 */
export async function buildPackage(out: string): Promise<void> {
  await rm(out, { recursive: true, force: true });
  await build({
    entryPoints: EXPORTS.map((name) => join(ROOT, `src/${name}/index.ts`)),
    outdir: out,
    outbase: join(ROOT, 'src'),
    bundle: true,
    // One class of each error, whichever of the modules throws it.
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  });
  const project = join(ROOT, 'tsconfig.build.json');
  await promisify(execFile)(process.execPath, [TSC, '-p', project, '--outDir', out]);
  await keepReachable(out);
}

/**
 * Leaves the declarations that the exports lead to, and deletes the rest. The compiler writes those of every module, and
 * leaves `.ts` in their imports, which not every reader's compiler follows.
 */
async function keepReachable(out: string): Promise<void> {
  const reached = new Set(EXPORTS.map((name) => join(out, name, 'index.d.ts')));
  for (const file of reached) {
    const source = await readFile(file, 'utf8');
    for (const [, path = ''] of source.matchAll(IMPORT))
      reached.add(join(dirname(file), path.replace(/\.ts$/, '.d.ts')));
    await writeFile(
      file,
      source.replaceAll(IMPORT, (found) => found.replace(/\.ts(?=['"]$)/, '.js')),
    );
  }
  for (const name of await readdir(out, { recursive: true })) {
    const file = join(out, name);
    if (file.endsWith('.d.ts') && !reached.has(file)) await rm(file);
  }
}

const IMPORT = /(?:from |import |import\()['"](\.[^'"]*\.ts)['"]/g;

if (import.meta.main) await buildPackage(join(ROOT, 'dist'));
