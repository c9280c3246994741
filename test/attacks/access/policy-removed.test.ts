import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { POLICIES, Policies } from '../../../src/access/policy-engine.ts';
import { TOOLS } from '../../../src/mcp/catalog.ts';
import { CHART_TOOLS, expectRefused, type House, openHouse } from './house.ts';

const OTHERS: Readonly<Record<string, Record<string, unknown>>> = {
  whoAmI: {},
  listVisitTypes: {},
  findPatient: { familyName: 'Doe', givenName: 'John', birthDate: '1968-04-12' },
};

describe('policies that were tampered with', () => {
  let at: House | undefined;
  let folder = '';
  const openWith = async (tamper: (folder: string) => void): Promise<House> => {
    folder = mkdtempSync(join(tmpdir(), 'chartseal-tampered-'));
    cpSync(POLICIES, folder, { recursive: true });
    tamper(folder);
    at = await openHouse({ policies: new Policies(folder) });
    return at;
  };
  afterEach(async () => {
    await at?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const remove = (name: string) => (from: string) => rmSync(join(from, name));

  test.each(readdirSync(POLICIES).filter((name) => name.endsWith('.cedar')))(
    'without %s the patient’s own chart stays closed too',
    async (file) => {
      const house = await openWith(remove(file));
      const own = { sections: ['demographics'] };
      expectRefused(await house.watch(() => house.call('usr_john', 'getPatient', own)), 'POLICY_UNAVAILABLE');
    },
  );

  test('with the folder gone every tool refuses everybody, in one form', async () => {
    const house = await openWith((from) => rmSync(from, { recursive: true }));
    for (const { name } of TOOLS) {
      const args = OTHERS[name] ?? CHART_TOOLS[name]?.(house.john);
      if (args === undefined) throw new Error(`no arguments for ${name}`);
      for (const user of ['usr_john', 'usr_frontdesk', 'usr_admin'])
        expectRefused(await house.watch(() => house.call(user, name, args)), 'POLICY_UNAVAILABLE');
    }
  });

  test.each([
    ['a permit for everybody', '@id("open-house")\npermit (principal, action, resource);'],
    ['a second policy of a known name', '@id("patient-own-chart")\npermit (principal, action, resource);'],
    ['a file that is no policy', 'permit everybody;'],
  ])('%s that was slipped in closes everything', async (_name, text) => {
    const house = await openWith((from) => writeFileSync(join(from, 'zz.cedar'), text));
    const own = { sections: ['demographics'] };
    expectRefused(await house.watch(() => house.call('usr_john', 'getPatient', own)), 'POLICY_UNAVAILABLE');
  });

  test('what is loaded stays loaded: a file that goes later changes nothing until a restart', async () => {
    const house = await openWith(() => {});
    const own = { sections: ['demographics'] };
    await house.call('usr_john', 'getPatient', own);
    rmSync(folder, { recursive: true });
    const again = await house.call('usr_john', 'getPatient', own);
    expect(again.json.result?.isError).toBeUndefined();
  });
});
