import type { SendResult } from '../clients/ingest-client.ts';
import type { RecordShape } from '../output/record-output.ts';

/** What became of one record of the input. */
export interface LineResult extends Omit<SendResult, 'status'> {
  /** `not_sent`: the hub was lost before. */
  readonly status: SendResult['status'] | 'not_sent';
  readonly line: number;
}

export const resultShape: RecordShape<LineResult> = {
  columns: [
    { name: 'line', width: 6, right: true, text: ({ line }) => String(line) },
    { name: 'status', width: 9, text: ({ status }) => status },
    { name: 'id', width: 36, text: ({ id }) => id },
    { name: 'position', width: 24, text: ({ position }) => position ?? '' },
    { name: 'code', width: 10, text: ({ code }) => code ?? '' },
    { name: 'detail', width: 0, text: ({ detail }) => detail ?? '' },
  ],
  json: ({ line, status, id, position, code, detail }) =>
    JSON.stringify({ line, status, id, position, code, detail }),
};
