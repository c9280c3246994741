import { chartValues } from '../../crypto/chart-values.ts';
import { CryptoError } from '../../crypto/errors.ts';
import { type PatientRef, patientKeys } from '../../crypto/patient-keys.ts';
import { keyVersionOf } from '../../crypto/sealed-value.ts';
import { ref } from '../../kernel/collection.ts';
import { SealedCells } from './cells.ts';
import { type Found, Places } from './places.ts';
import { columnsOf, type Page, type RowWatch, rowsOf } from './rows.ts';
import { STORED_BYTES } from './stored-bytes.ts';

/** What the headers of the sealed rows say. */
export interface SealedFacts {
  /** Values whose header is suite 01: AES-256-GCM with a 128-bit tag under a key of their own. */
  readonly values: number;
  readonly byColumn: Readonly<Record<string, number>>;
  /** In a sealed column, and not in the sealed format. */
  readonly otherwise: Found;
  /** Bytes that are readable text where none may be. */
  readonly readable: Found;
  /** Columns of bytes of which nobody said how they are protected. */
  readonly undeclared: Found;
  /** Sealed under a version that is to be left behind, or one that the patient's key document does not know. */
  readonly stale: Found;
  /** Of no patient who is there. */
  readonly orphans: Found;
}

/** Reads headers; opens nothing. */
export class SealedWatch implements RowWatch {
  readonly #cells = new SealedCells();
  readonly #undeclared = new Places();
  readonly #stale = new Places();
  readonly #orphans = new Places();

  async see(page: Page): Promise<void> {
    for (const column of columnsOf(page.of, 'bytes')) this.#seeColumn(page, column);
    await this.#seeVersions(page);
  }

  get facts(): SealedFacts {
    return {
      ...this.#cells.facts,
      ...{ undeclared: this.#undeclared.found, stale: this.#stale.found, orphans: this.#orphans.found },
    };
  }

  #seeColumn({ of, rows }: Page, column: string): void {
    const name = `${of.name}.${column}`;
    const kind = STORED_BYTES[name];
    if (kind === undefined) this.#undeclared.add(name);
    for (const { id, row } of rows) {
      const bytes = row[column];
      if (!(bytes instanceof Uint8Array) || bytes.length === 0) continue;
      if (kind !== 'leaf') this.#cells.seeBytes(name, id, bytes);
      if (kind === 'sealed') this.#cells.see(name, id, bytes);
    }
  }

  async #seeVersions(page: Page): Promise<void> {
    const rows = rowsOf(page, chartValues);
    const patients = [...new Set(rows.map(({ row }) => row.patient))];
    if (patients.length === 0) return;
    const keys = await page.reader.get(
      ...patients.map((patient) => ref(patientKeys, patient as PatientRef['patient'])),
    );
    const byPatient = new Map(patients.map((patient, at) => [patient, keys[at] ?? null]));
    for (const { id, row } of rows) {
      const key = byPatient.get(row.patient) ?? null;
      const version = versionOf(row.sealed);
      if (key === null) this.#orphans.add(`chartValues ${id}`);
      else if (version !== null && (version < key.minSeal || version > key.current))
        this.#stale.add(`chartValues ${id}`);
    }
  }
}

function versionOf(bytes: Uint8Array): number | null {
  try {
    return keyVersionOf(bytes);
  } catch (error) {
    if (error instanceof CryptoError) return null;
    throw error;
  }
}
