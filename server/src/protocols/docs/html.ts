import { assetUrl } from './page-assets.ts';

export interface Page {
  readonly title: string;
  /** HTML; whatever comes from outside is escaped before. */
  readonly body: string;
}

/** A page of the hub in its own plain style. */
export async function html({ title, body }: Page): Promise<string> {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" type="image/svg+xml" href="${await assetUrl('icon.svg')}">
<link rel="stylesheet" href="${await assetUrl('pages.css')}">
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
