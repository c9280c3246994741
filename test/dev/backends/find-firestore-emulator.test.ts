import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findFirestoreEmulator } from '../../../src/dev/backends/find-firestore-emulator.ts';

describe.skipIf(process.platform === 'win32')('findFirestoreEmulator', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'chartseal-find-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const put = (path: string, text = ''): string => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, 0o755);
    return file;
  };
  const java = (path: string, version: string): string =>
    put(path, `#!/bin/sh\necho 'openjdk version "${version}" 2026-01-01' >&2\n`);
  const SDK_JAR = 'sdk/platform/cloud-firestore-emulator/cloud-firestore-emulator.jar';
  const find = async (env: Record<string, string> = {}) =>
    await findFirestoreEmulator({
      env: { PATH: join(root, 'bin'), ...env },
      home: join(root, 'home'),
      jvmFolder: join(root, 'jvm'),
    });

  test('takes the component of the SDK that the gcloud command belongs to', async () => {
    const jar = put(SDK_JAR);
    mkdirSync(join(root, 'bin'));
    symlinkSync(put('sdk/bin/gcloud'), join(root, 'bin/gcloud'));
    expect(await find({ JAVA_HOME: dirname(dirname(java('jdk/bin/java', '17.0.9'))) })).toEqual({
      found: true,
      jar,
      java: join(root, 'jdk/bin/java'),
    });
  });

  test('else takes the newest jar that firebase-tools keeps', async () => {
    for (const version of ['1.9.1', '1.19.8', '1.20.2'])
      put(`home/.cache/firebase/emulators/cloud-firestore-emulator-v${version}.jar`);
    java('bin/java', '21.0.1');
    expect(await find()).toMatchObject({ found: true, jar: expect.stringMatching(/v1\.20\.2\.jar$/) });
  });

  test('passes over a Java that is too old for one below the folder of Java machines', async () => {
    put(SDK_JAR);
    put('sdk/bin/gcloud');
    java('bin/java', '11.0.2');
    java('jvm/old/bin/java', '1.8.0_392');
    const good = java('jvm/temurin-25/bin/java', '25');
    expect(await find({ PATH: `${join(root, 'sdk/bin')}:${join(root, 'bin')}` })).toMatchObject({
      found: true,
      java: good,
    });
  });

  test('passes over a JAVA_HOME that does not exist', async () => {
    put('home/.cache/firebase/emulators/cloud-firestore-emulator-v1.20.2.jar');
    const good = java('bin/java', '17');
    expect(await find({ JAVA_HOME: join(root, 'nowhere') })).toMatchObject({ found: true, java: good });
  });

  test('says what is missing and how to get it', async () => {
    expect(await find()).toMatchObject({
      found: false,
      reason: expect.stringContaining('gcloud components install'),
    });
    put('home/.cache/firebase/emulators/cloud-firestore-emulator-v1.20.2.jar');
    java('bin/java', '11');
    const answer = await find();
    expect(answer).toEqual({ found: false, reason: 'The Firestore emulator needs Java 17 or newer.' });
  });
});
