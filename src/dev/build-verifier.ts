import { join } from 'node:path';
import { build } from 'esbuild';

const ENTRY = join(import.meta.dirname, '../audit/verify/offline.ts');

/** The offline verifier as one file of JavaScript that imports only Node's own modules. */
export async function buildVerifier(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [ENTRY],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    legalComments: 'none',
    logLevel: 'silent',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}
