import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { describeNeeding } from '../stack/needs.ts';
import { OPEN } from './answers.ts';
import { type Opened, type Shown, startHost } from './host.ts';

/** Kept when `SCREENSHOTS` names a folder, to be looked at. */
export const shots = process.env['SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'chartseal-widgets-'));

/** A search for a visit, as the slot picker is opened for it. */
export const SLOT_PICKER: Opened = {
  tool: 'findOpenSlots',
  input: { visitType: 'diabetes-checkup', from: '2026-12-01' },
  result: OPEN,
};

type Host = Awaited<ReturnType<typeof startHost>>;

/** A suite on one host in one browser; the widget that a test leaves open is closed after it. */
export function describeWidgets(
  name: string,
  body: (at: { host: () => Host; open: Host['open'] }) => void,
): void {
  describeNeeding('chromium', name, () => {
    let host: Host;
    let shown: Shown | null = null;
    beforeAll(async () => {
      host = await startHost();
    });
    afterEach(async () => {
      await shown?.close();
      shown = null;
    });
    afterAll(async () => {
      await host?.close();
      if (process.env['SCREENSHOTS'] === undefined) rmSync(shots, { recursive: true, force: true });
    });
    const open: Host['open'] = async (...args) => {
      shown = await host.open(...args);
      return shown;
    };
    body({ host: () => host, open });
  });
}

export const statusOf = ({ frame }: Shown) => frame.locator('#status').textContent();
export const titleOf = ({ frame }: Shown) => frame.locator('#title').textContent();
export const press = ({ frame }: Shown, name: RegExp | string) => frame.getByRole('button', { name }).click();
export const until = (what: Shown, status: RegExp | string) =>
  what.frame.locator('#status', { hasText: status }).waitFor();
export const focused = ({ frame }: Shown) => frame.evaluate(() => document.activeElement?.id);
