import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { build } from 'esbuild';
import { WIDGETS, type WidgetName } from '../mcp/widget-pages.ts';

const WEB = join(import.meta.dirname, '../web');

/**
 * Bundles each widget into one HTML page that needs no other file: hosts show it in a sandbox without a network.
 *
 * @returns widget name → page.
 */
export async function buildWidgetPages(): Promise<Map<WidgetName, string>> {
  const names = Object.keys(WIDGETS) as WidgetName[];
  const [style, ...scripts] = await Promise.all([
    bundle('styles/widgets.css'),
    ...names.map((name) => bundle(`widgets/${name}.ts`)),
  ]);
  return new Map(
    names.map((name, index) => [
      name,
      pageOf({ title: WIDGETS[name], style: style ?? '', script: scripts[index] ?? '' }),
    ]),
  );
}

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(WEB, entry)],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'silent',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

/** The page's own policy holds whatever the host's is: this script, this style, and nothing from anywhere. */
function pageOf({ title, style, script }: { title: string; style: string; script: string }): string {
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${title}</title><style>${style}</style></head><body><main>`,
    `<h1 id="title" tabindex="-1">${title}</h1>`,
    '<p id="status" role="status" aria-live="polite">Loading…</p>',
    '<div id="content" aria-busy="true"></div></main>',
    `<script type="module">${script}</script></body></html>`,
  ].join('');
}

const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;
