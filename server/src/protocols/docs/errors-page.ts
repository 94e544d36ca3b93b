import { errorCodes } from '../../base/errors.ts';
import { errorTable } from '../error-table.ts';
import { escapeHtml, html } from './html.ts';

/** Every error code from the one table; a problem's `type` leads to its row. */
export function errorsPage(): Promise<string> {
  const rows = errorCodes.map((code) => {
    const wire = errorTable[code];
    return `<tr id="${code}"><td><code>${code}</code></td><td>${escapeHtml(wire.title)}</td><td>${wire.http}</td><td><code>${wire.grpcName}</code></td><td>${escapeHtml(wire.retry)}</td></tr>`;
  });
  return html({
    title: 'Errors · Event Hub',
    body: `<p><a href="/">Event Hub</a></p>
<h1>Errors</h1>
<p class="lead">The same code on every protocol: <code>code</code> in REST's problem documents, <code>extensions.code</code> in GraphQL, the reason of <code>google.rpc.ErrorInfo</code> in gRPC.</p>
<div class="scroll">
<table>
<thead><tr><th>Code</th><th>Meaning</th><th>HTTP</th><th>gRPC</th><th>Retry</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</div>`,
  });
}
