import { assetUrl } from './page-assets.ts';

/** Swagger UI over `/openapi.json`, all of it served by the hub. */
export async function referencePage(): Promise<string> {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>REST reference · Event Hub</title>
<link rel="icon" type="image/svg+xml" href="${await assetUrl('icon.svg')}">
<link rel="stylesheet" href="${await assetUrl('swagger-ui.css')}">
<script src="${await assetUrl('swagger-ui-bundle.js')}" defer></script>
<script src="${await assetUrl('docs.js')}" defer></script>
</head>
<body style="margin: 0">
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript; the document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
</body>
</html>
`;
}
