import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DOCUMENT_LIMITS } from '../../src/clinic/documents/document.ts';
import { CHUNK_BYTES } from '../../src/clinic/documents/sealed-chunks.ts';
import { documentUploads } from '../../src/clinic/documents/uploads.ts';
import { fieldOf } from '../../src/dev/user-agent/browser.ts';
import { eventsOf, TENANT } from '../mcp/house.ts';
import { formOf, startDocuments } from './server.ts';

const PDF = '%PDF-1.7\nReferral: planted-zanzibarine.';
const problemOf = ({ html }: { html: string }): string =>
  /class="error" role="alert">([^<]*)</.exec(html)?.[1] ?? /<p>([^<]*)<\/p><p><a/.exec(html)?.[1] ?? '';

describe('the documents’ pages', () => {
  let at: Awaited<ReturnType<typeof startDocuments>>;
  beforeEach(async () => {
    at = await startDocuments();
  });
  afterEach(async () => {
    expect(at.faults).toEqual([]);
    await at.close();
  });
  const lastEvents = async (count: number) => (await eventsOf(at.services)).slice(-count);
  const said = async (count: number) =>
    (await lastEvents(count)).map(({ operation, outcome, reason }) =>
      [operation, outcome, reason].join(' ').trim(),
    );
  const pathOf = (act?: string, patient = at.john): string =>
    `/documents/chart/${patient}${act === undefined ? '' : `/${act}`}`;
  const john = async () => {
    const who = at.visitor();
    return { who, page: await who.signIn('usr_john') };
  };
  const kept = async (sent: Parameters<typeof formOf>[1]) => {
    const { who, page } = await john();
    expect((await at.send(who, page, pathOf('add'), sent)).status).toBe(303);
    const list = await who.open(pathOf());
    return { who, list, id: fieldOf(list, 'id') };
  };

  test('a patient adds a letter, sees it listed, and downloads it; each step is an event before its answer', async () => {
    const { who, page } = await john();
    expect(page.html).toContain('No document is kept.');
    expect((await at.send(who, page, pathOf('add'), { bytes: PDF, title: 'To cardiology' })).status).toBe(
      303,
    );
    const list = await who.open(pathOf());
    expect(list.html).toContain('<strong>To cardiology</strong>');
    expect(list.html).toMatch(/Letter, PDF, 1 KB\. Added \w+/);
    expect(await said(2)).toEqual(['addDocument 0', 'listDocuments 0']);
    const id = fieldOf(list, 'id');
    const response = await at.open(who, list, pathOf('open'), id);
    expect(await response.text()).toBe(PDF);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/pdf',
      'content-length': String(PDF.length),
      'content-disposition': 'attachment; filename="To-cardiology.pdf"',
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-store',
      'content-security-policy': "default-src 'none'; sandbox",
    });
    expect((await lastEvents(1))[0]).toMatchObject({
      operation: 'openDocument',
      action: 'R',
      entity: { resource: 'DocumentReference', id, fields: ['file'], recipient: 'the patient' },
      policy: 'patient-own-chart',
    });
    expect(JSON.stringify(await eventsOf(at.services))).not.toMatch(/cardiology|zanzibarine|planted/);
  });

  test.each([false, true])(
    'a large file is kept and comes back, read by the platform first: %s',
    async (readsBody) => {
      at.platform.readsBody = readsBody;
      const bytes = Buffer.alloc(3 * CHUNK_BYTES + 17, '%PDF-1.7 0123456789');
      const { who, list, id } = await kept({ bytes });
      const response = await at.open(who, list, pathOf('open'), id);
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
      expect(at.objects.kept.size).toBe(4);
    },
  );

  test.each([
    ['an empty file', { bytes: '' }, 400, 'The file is empty'],
    ['HTML that says it is a PDF', { bytes: '<script>alert(1)</script>' }, 415, 'Only PDF, PNG, JPEG'],
    ['a program', { bytes: 'MZ\u0000\u0001', type: 'image/png', fileName: 'x.png' }, 415, 'Only PDF'],
    ['over 25 MB', { bytes: Buffer.alloc(DOCUMENT_LIMITS.bytes + 1, '%PDF-1.7 ') }, 413, 'over 25 MB'],
    ['no kind', { bytes: PDF, kind: '' }, 400, 'choose its kind'],
    ['a kind of one’s own', { bytes: PDF, kind: 'constructor' }, 400, 'choose its kind'],
    ['no title and no name', { bytes: PDF, fileName: '.pdf' }, 400, 'Say what the document is'],
  ])('%s is refused, leaves nothing, and is an event', async (_name, sent, status, problem) => {
    const { who, page } = await john();
    const answer = await at.send(who, page, pathOf('add'), sent);
    expect([answer.status, problemOf(answer)]).toEqual([status, expect.stringContaining(problem)]);
    expect([at.objects.kept.size, await at.documents.list({ tenant: TENANT, patient: at.john })]).toEqual([
      0,
      [],
    ]);
    expect(await at.store.tenant(TENANT).list(documentUploads, { limit: 5 })).toEqual([]);
    const refusal = (await eventsOf(at.services)).find(({ operation }) => operation === 'addDocument');
    expect(refusal).toMatchObject({ outcome: '4', reason: expect.stringMatching(/^DOCUMENT_/) });
  });

  test.each([
    ['../../../etc/passwd.pdf', 'passwd', 'passwd.pdf'],
    ['..\\..\\boot.ini', 'boot', 'boot.pdf'],
    ['report\u202Efdp.exe', 'report fdp', 'report-fdp.pdf'],
    ['a"; filename="evil.html', 'a%22; filename=%22evil', 'a-22-filename-22evil.pdf'],
    [
      '<img src=x onerror=alert(1)>.pdf',
      '&lt;img src=x onerror=alert(1)&gt;',
      'img-src-x-onerror-alert-1.pdf',
    ],
  ])('a file that calls itself %j is shown and saved as plain letters', async (fileName, title, saved) => {
    const { who, list, id } = await kept({ bytes: PDF, fileName });
    expect(list.html).toContain(`<strong>${title}</strong>`);
    expect(list.html).not.toMatch(/<img|[\u202E]/);
    const response = await at.open(who, list, pathOf('open'), id);
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename="${saved}"`);
    expect([...at.objects.kept.keys()]).toEqual([`${TENANT}/${at.john}/${id}/0`]);
  });

  test('a title of another script is saved under its own letters', async () => {
    const { who, list, id } = await kept({ bytes: PDF, title: 'Überweisung 心臓' });
    const { headers } = await at.open(who, list, pathOf('open'), id);
    expect(headers.get('content-disposition')).toBe(
      `attachment; filename="_berweisung-__.pdf"; filename*=UTF-8''${encodeURIComponent('Überweisung-心臓.pdf')}`,
    );
  });

  test('a form of another site, without its token, or of nobody is refused before a byte of the file is kept', async () => {
    const { who, page } = await john();
    const csrf = fieldOf(page, 'csrf');
    const form = (token: string) => formOf(token, { bytes: PDF });
    const statuses = [
      await at.post(who, pathOf('add'), form(csrf), { origin: 'https://evil.example' }),
      await at.post(who, pathOf('add'), form('x')),
      await at.post({ browser: at.visitor().browser }, pathOf('add'), form(csrf)),
      await at.post(at.visitor(), pathOf('open'), new URLSearchParams({ csrf, id: `doc_${'a'.repeat(22)}` })),
      await at.post(who, '/documents/chart/elsewhere/nothing', form(csrf)),
      await at.post(who, pathOf('add'), new URLSearchParams({ csrf, kind: 'letter' })),
    ].map(({ status }) => status);
    expect(statuses).toEqual([403, 403, 401, 401, 404, 404]);
    expect(at.objects.kept.size).toBe(0);
  });

  test('a token that stands behind the file comes too late', async () => {
    const { who, page } = await john();
    const form = new FormData();
    form.append('file', new Blob([PDF]), 'a.pdf');
    form.append('csrf', fieldOf(page, 'csrf'));
    expect((await at.post(who, pathOf('add'), form)).status).toBe(403);
  });

  test.each([
    ['without a boundary', 'multipart/form-data; x=y', 'x'],
    ['without a part', 'multipart/form-data; boundary=b', '--b--\r\n'],
    ['cut short', 'multipart/form-data; boundary=b', null],
    [
      'without a file',
      'multipart/form-data; boundary=b',
      '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n--b--\r\n',
    ],
    [
      'of an endless field',
      'multipart/form-data; boundary=b',
      `--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n${'x'.repeat(9_000)}\r\n--b--\r\n`,
    ],
  ])('a form %s is refused', async (_name, type, body) => {
    const { who, page } = await john();
    const fields = Object.entries({ csrf: fieldOf(page, 'csrf'), kind: 'letter', title: 'T' }).map(
      ([name, value]) => `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    );
    const file =
      '--b\r\ncontent-disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1.7 and no end';
    const response = await at.post(who, pathOf('add'), body ?? [...fields, file].join(''), {
      'content-type': type,
    });
    expect([response.status, await response.text()]).toEqual([
      400,
      expect.stringContaining('did not arrive whole'),
    ]);
    expect(at.objects.kept.size).toBe(0);
  });

  test('a sender who goes away half-way leaves nothing', async () => {
    const { who, page } = await john();
    const url = new URL(at.origin);
    const socket = connect(Number(url.port), url.hostname);
    const head = Object.entries({ csrf: fieldOf(page, 'csrf'), kind: 'letter', title: 'T' })
      .map(([name, value]) => `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
      .join('');
    socket.write(
      `POST ${pathOf('add')} HTTP/1.1\r\nhost: ${url.host}\r\norigin: ${at.origin}\r\ncookie: ${who.browser.cookie}\r\n` +
        `content-type: multipart/form-data; boundary=b\r\ncontent-length: 9000000\r\n\r\n${head}` +
        '--b\r\ncontent-disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1.7\n',
    );
    socket.write(Buffer.alloc(2 * CHUNK_BYTES, 'x'));
    const first = async () => at.objects.kept.size > 0;
    await expect.poll(first, { timeout: 5_000 }).toBe(true);
    socket.destroy();
    await expect.poll(async () => at.objects.kept.size, { timeout: 5_000 }).toBe(0);
    await expect
      .poll(async () => (await at.store.tenant(TENANT).list(documentUploads, { limit: 5 })).length)
      .toBe(0);
  });

  test('damaged at its start it is said; damaged later the answer breaks off; nobody takes a part for the whole', async () => {
    const { who, list, id } = await kept({ bytes: Buffer.alloc(2 * CHUNK_BYTES + 5, '%PDF-1.7 ') });
    const name = (index: number): string => `${TENANT}/${at.john}/${id}/${index}`;
    at.objects.kept.delete(name(2));
    const later = await at.open(who, list, pathOf('open'), id);
    await expect(later.arrayBuffer()).rejects.toThrow();
    expect(at.faults.splice(0)).toEqual([{ name: 'DocumentError', code: 'DOCUMENT_DAMAGED' }]);
    at.objects.kept.delete(name(0));
    const response = await at.open(who, list, pathOf('open'), id);
    expect([response.status, await response.text()]).toEqual([
      503,
      expect.stringContaining('ask the clinic'),
    ]);
    expect(at.faults.splice(0)).toEqual([{ name: 'DocumentError', code: 'DOCUMENT_DAMAGED' }]);
    expect((await lastEvents(1))[0]).toMatchObject({
      operation: 'openDocument',
      outcome: '4',
      reason: 'DOCUMENT_DAMAGED',
    });
  });

  test('when the object store is down, nothing is kept, the page says so, and whoever runs it hears of it', async () => {
    at.objects.failAfter(1);
    const { who, page } = await john();
    const sent = { bytes: Buffer.alloc(3 * CHUNK_BYTES, '%PDF-1.7 ') };
    const answer = await at.send(who, page, pathOf('add'), sent);
    expect([answer.status, answer.html]).toEqual([503, expect.stringContaining('Nothing was kept or shown')]);
    expect(at.faults.splice(0)).toEqual([{ name: 'DocumentError', code: 'OBJECTS_UNAVAILABLE' }]);
    expect(at.objects.kept.size).toBe(0);
    const refusal = (await eventsOf(at.services)).find(({ operation }) => operation === 'addDocument');
    expect(refusal).toMatchObject({ outcome: '8', reason: 'OBJECTS_UNAVAILABLE' });
  });

  test('when the audit log takes no event, not a byte goes out', async () => {
    const { who, list, id } = await kept({ bytes: PDF });
    at.store.refuseWrites('auditEvents');
    const response = await at.open(who, list, pathOf('open'), id);
    at.store.refuseWrites(null);
    expect([response.status, await response.text()]).toEqual([
      503,
      expect.not.stringContaining('zanzibarine'),
    ]);
    expect(at.faults.splice(0)).toEqual([{ name: 'AuditError', code: 'AUDIT_UNAVAILABLE' }]);
  });

  test('the front desk finds a patient and adds a letter; it sees no list and opens nothing', async () => {
    const { id } = await kept({ bytes: PDF, title: 'planted-title' });
    const who = at.visitor();
    const form = await who.signIn('usr_frontdesk');
    const found = await who.submit(form, '/documents/find', {
      family: 'Doe',
      given: 'John',
      birthDate: '1968-04-12',
    });
    expect(found.html).toContain('<h1>Documents of John');
    expect(found.html).not.toMatch(/planted|Download/);
    expect((await at.send(who, found, pathOf('add'), { bytes: PDF, title: 'Fax' })).status).toBe(303);
    expect((await lastEvents(1))[0]).toMatchObject({ actor: { role: 'frontdesk' }, purposeOfUse: 'HOPERAT' });
    expect((await at.open(who, found, pathOf('open'), id)).status).toBe(404);
    const list = await at.documents.list({ tenant: TENANT, patient: at.john });
    expect(list.map(({ title, addedBy }) => [title, addedBy])).toContainEqual(['Fax', 'frontdesk']);
  });

  test('a clinician opens the documents of whom they treat, and of nobody else', async () => {
    const { id } = await kept({ bytes: PDF });
    const who = at.visitor();
    const form = await who.signIn('usr_clinician');
    const none = await who.submit(form, '/documents/find', { handle: at.john });
    expect(none.status).toBe(404);
    await at.relate('usr_clinician', at.john, 'care-team');
    const list = await who.open(pathOf());
    const opened = await at.open(who, list, pathOf('open'), id);
    expect([opened.status, await opened.text()]).toEqual([200, PDF]);
    const [event] = await lastEvents(1);
    expect(event).toMatchObject({ purposeOfUse: 'TREAT', policy: 'clinician-care-team' });
    expect(event?.entity).not.toHaveProperty('recipient');
    await at.say(at.john, 'treatment', 'withdrawn');
    expect((await at.open(who, list, pathOf('open'), id)).status).toBe(404);
  });

  test('a parent adds and opens for the child, and not for others', async () => {
    await at.relate('usr_proxy', at.child, 'proxy');
    const who = at.visitor();
    const page = await who.signIn('usr_proxy');
    expect(page.html).toContain('<h1>Documents of Leo');
    expect((await at.send(who, page, pathOf('add', at.child), { bytes: PDF })).status).toBe(303);
    expect((await at.send(who, page, pathOf('add'), { bytes: PDF })).status).toBe(404);
    const list = await who.open(pathOf(undefined, at.child));
    const opened = await at.open(who, list, pathOf('open', at.child), fieldOf(list, 'id'));
    expect(await opened.text()).toBe(PDF);
    expect((await lastEvents(1))[0]?.entity).toMatchObject({ recipient: 'who acts for the patient' });
  });

  test.each(['usr_auditor', 'usr_admin'])('%s does not come in', async (user) => {
    const page = await at.visitor().signIn(user);
    expect([page.status, page.html]).toEqual([403, expect.stringContaining('This page is for patients')]);
  });

  test.each([
    [{ family: 'Doe', birthDate: '' }, 'birth date'],
    [{ family: 'Nobody', given: 'No', birthDate: '1970-01-01' }, 'No such patient is found'],
    [{ handle: '<script>' }, 'No such patient is found'],
  ])('a search for %j finds nothing and repeats nothing', async (typed, problem) => {
    const who = at.visitor();
    const page = await who.submit(
      await who.signIn('usr_frontdesk'),
      '/documents/find',
      typed as Record<string, string>,
    );
    expect([page.status, problemOf(page)]).toEqual([400, expect.stringContaining(problem)]);
    expect(page.html).not.toMatch(/Nobody|<script>/);
  });
});
