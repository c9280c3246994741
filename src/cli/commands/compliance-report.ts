import { hash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlattenedSign, importJWK } from 'jose';
import { assess, type ComplianceReport } from '../../compliance/assess.ts';
import { gather } from '../../compliance/gather.ts';
import { oscalOf } from '../../compliance/output/oscal.ts';
import { reportPage } from '../../compliance/output/page.ts';
import type { Composed } from '../../compose.ts';
import { type Config, readConfig } from '../../config.ts';
import { parseTenantId, type TenantId } from '../../kernel/ids.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { sourcesOf } from '../compliance-sources.ts';
import { composeHere } from '../here.ts';
import { numberOption, progress } from '../key-jobs.ts';
import { bold, out, table } from '../terminal.ts';

/** Looks at a tenant's running system, and writes what it saw as files. */
export const complianceReport: Command = {
  usage: '--out FOLDER [--tenant T] [--sample N] [--url HTTPS_ADDRESS]',
  summary:
    'check the running system against HIPAA, GDPR, PCI DSS and SOC 2: exit 1 when a check is not satisfied',
  options: {
    out: { type: 'string' },
    tenant: { type: 'string' },
    sample: { type: 'string' },
    url: { type: 'string' },
  },
  run: async ({ values, positionals, json }) => {
    const folder = values['out'];
    if (typeof folder !== 'string' || positionals.length > 0)
      throw new UsageError('Say where to write: chartseal compliance report --out FOLDER');
    const tenant = parseTenantId(values['tenant'] ?? 'riverside');
    const sample = numberOption(values, 'sample', { least: 1, most: 1_000_000 });
    const url = addressOf(values['url']);
    const { composed, env } = await composeHere();
    const { tell, end } = progress();
    try {
      const onProgress = (seen: number, of: string): void => tell(() => `${seen} rows looked at, now ${of}`);
      const asked = { tenant, onProgress, ...(sample !== null && { sample }), ...(url !== null && { url }) };
      const config = readConfig(env);
      const report = assess(await gather(await sourcesOf({ composed, env, config }, asked)));
      end();
      await write({ folder, report, config, composed });
      out(json ? JSON.stringify(report) : textOf(report, folder));
      return report.summary.checks['not-satisfied'] === 0 ? EXIT.ok : EXIT.no;
    } finally {
      await composed.close();
    }
  },
};

/** Null without one: then the configured origin is looked at. */
function addressOf(url: unknown): string | null {
  if (url === undefined) return null;
  if (typeof url !== 'string' || !URL.canParse(url) || new URL(url).protocol !== 'https:')
    throw new UsageError('--url is the public https address, such as https://chart.example');
  return url;
}

/** The event is committed before the first file is there. */
async function write(of: {
  folder: string;
  report: ComplianceReport;
  config: Config;
  composed: Composed;
}): Promise<void> {
  const { folder, report, config, composed } = of;
  const body = `${JSON.stringify(report, null, 2)}\n`;
  const signature = await signed(body, config);
  await composed.services.audit.append(report.tenant as TenantId, {
    action: 'E',
    operation: 'compliance report',
    outcome: '0',
    actor: { user: 'operator', role: 'admin', client: 'chartseal' },
    entity: {
      resource: 'ComplianceReport',
      id: hash('sha256', body, 'base64url'),
      counts: {
        satisfied: report.summary.checks.satisfied,
        notSatisfied: report.summary.checks['not-satisfied'],
        notAssessable: report.summary.checks['not-assessable'],
      },
    },
    purposeOfUse: 'HOPERAT',
    policy: 'operator-report',
  });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'report.json'), body);
  await writeFile(join(folder, 'report.json.jws'), `${signature}\n`);
  await writeFile(join(folder, 'report.html'), reportPage(report));
  for (const [file, document] of Object.entries(oscalOf(report)))
    await writeFile(join(folder, file), `${JSON.stringify(document, null, 2)}\n`);
}

/** A detached JWS (RFC 7515 Appendix F). Its `typ` is no token's, so it can never serve as one. */
async function signed(body: string, { signingKeys: [key] }: Config): Promise<string> {
  if (key === undefined) throw new UsageError('CHARTSEAL_SIGNING_KEYS holds no key to sign with.');
  const kid = 'kid' in key ? { kid: String(key.kid) } : {};
  const jws = await new FlattenedSign(Buffer.from(body))
    .setProtectedHeader({ alg: 'ES256', typ: 'chartseal-report+jws', ...kid })
    .sign(await importJWK(key, 'ES256'));
  return `${jws.protected}..${jws.signature}`;
}

function textOf({ tenant, at, summary, checks }: ComplianceReport, folder: string): string {
  const open = checks.filter(({ state }) => state !== 'satisfied');
  const { satisfied, 'not-satisfied': no, 'not-assessable': person } = summary.checks;
  return [
    `${bold(`What was checked of ${tenant}`)} at ${at} (UTC)`,
    '',
    open.length === 0
      ? '  nothing is open'
      : table(open.map(({ state, id, sentence }) => [state, id, sentence])),
    '',
    `${satisfied} checks are satisfied, ${no} are not, ${person} need a person. Read ${join(folder, 'report.html')}.`,
  ].join('\n');
}
