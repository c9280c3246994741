import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { McpUiHostCapabilities } from '@modelcontextprotocol/ext-apps/app-bridge';
import { build } from 'esbuild';
import type { BrowserContext, Frame, Page } from 'playwright-core';
import { buildWidgetPages } from '../../src/dev/build-widgets.ts';
import type { WidgetName } from '../../src/mcp/widget-pages.ts';
import { launchChromium } from '../stack/chromium.ts';
import type { Asked, HostResult } from './host-page.ts';

/** Everything that a host may offer. */
export const ALL: McpUiHostCapabilities = {
  serverTools: {},
  downloadFile: {},
  openLinks: {},
  updateModelContext: { text: {} },
  message: { text: {} },
};

/** How the widget is looked at, and by what host. */
export interface Look {
  readonly width?: number;
  /** Of the page: 2 is a zoom of 200 %. */
  readonly zoom?: number;
  readonly theme?: 'light' | 'dark';
  readonly locale?: string;
  readonly capabilities?: McpUiHostCapabilities;
  /** The page that is shown; our own by default. */
  readonly html?: string;
}

/** The call that the widget is opened for. */
export interface Opened {
  readonly tool: string;
  readonly input?: Record<string, unknown>;
  readonly result: HostResult | null;
}

/** A widget in a host's page in a real browser. */
export interface Shown {
  readonly page: Page;
  readonly frame: Frame;
  /** Tool calls that the widget made. */
  readonly calls: { name: string; arguments: Record<string, unknown> }[];
  /** What goes wrong without anybody seeing it: refused by a policy, an error, a request to anywhere. */
  readonly problems: string[];
  asked(): Promise<Asked[]>;
  /** A picture of the widget, as tall as it is. */
  shot(path: string): Promise<void>;
  close(): Promise<void>;
}

/** Taller than any widget: a picture of more than the window resizes it, and the frame's own process paints too late. */
const HEIGHT = 2_000;

type Server = (name: string, args: Record<string, unknown>) => Promise<HostResult> | HostResult;

/** A browser with a host page; widgets are opened in it one after another. */
export async function startHost() {
  const [pages, script, browser] = await Promise.all([buildWidgetPages(), hostScript(), launchChromium()]);
  const http = createServer((req, res) => {
    if (req.url === '/host.js') res.setHeader('content-type', 'text/javascript').end(script);
    else res.setHeader('content-type', 'text/html').end(HOST_HTML);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const open = async (name: WidgetName, opened: Opened, look: Look = {}, server?: Server): Promise<Shown> => {
    const context = await contextOf(look);
    return show(context, { html: look.html ?? pages.get(name) ?? '', opened, look, server });
  };
  const contextOf = ({ width = 390, zoom = 1, theme = 'light' }: Look): Promise<BrowserContext> =>
    browser.newContext({
      viewport: { width: Math.round(width / zoom), height: HEIGHT },
      deviceScaleFactor: zoom,
      colorScheme: theme === 'light' ? 'dark' : 'light',
      reducedMotion: 'reduce',
    });
  const show = async (
    context: BrowserContext,
    { html, opened, look, server }: { html: string; opened: Opened; look: Look; server: Server | undefined },
  ): Promise<Shown> => {
    const page = await context.newPage();
    const problems = problemsOf(page, origin);
    const calls: Shown['calls'] = [];
    await page.exposeFunction('callTool', (params: { name: string; arguments?: Record<string, unknown> }) => {
      calls.push({ name: params.name, arguments: params.arguments ?? {} });
      if (server === undefined) throw new Error('no server');
      return server(params.name, params.arguments ?? {});
    });
    await page.goto(origin);
    const tool = { name: opened.tool, inputSchema: { type: 'object' as const } };
    const { theme = 'light', locale = 'en-US', capabilities = ALL } = look;
    await page.evaluate((opening) => window.openWidget(opening), {
      ...{ html, capabilities, input: opened.input ?? {}, result: opened.result },
      context: { theme, locale, toolInfo: { tool } },
    });
    const frame = page.frames().find((one) => one !== page.mainFrame());
    if (frame === undefined) throw new Error('no widget');
    const asked = () => page.evaluate(() => window.asked);
    const shot = async (path: string) => {
      const box = await page.locator('iframe').boundingBox();
      await page.screenshot({ path, ...(box === null ? {} : { clip: box }) });
    };
    return { page, frame, calls, problems, asked, shot, close: () => context.close() };
  };
  const close = async () => {
    await browser.close();
    http.closeAllConnections();
    http.close();
  };
  return { pages, open, close };
}

const HOST_HTML =
  '<!doctype html><html lang="en"><title>Host</title><style>body{margin:0}iframe{border:0;width:100%;height:300px}</style><body><script src="/host.js"></script>';

function problemsOf(page: Page, origin: string): string[] {
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('favicon')) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('request', (request) => {
    const own = [`${origin}/`, `${origin}/host.js`, 'about:srcdoc'];
    if (!own.includes(request.url())) problems.push(`request: ${request.url().slice(0, 60)}`);
  });
  return problems;
}

async function hostScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'host-page.ts')],
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}
