// What Docker asks a container of the hub, whatever its role: exit code 0 while
// the path is answered with success, `/readyz` when none is named. The image has
// no curl.
const port = process.env.EVENT_HUB_HTTP_PORT || process.env.PORT || '8000';
const path = process.argv[2] ?? '/readyz';
try {
  const signal = AbortSignal.timeout(4000);
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal });
  process.stdout.write(`${response.status} ${await response.text()}\n`);
  process.exitCode = response.ok ? 0 : 1;
} catch (reason) {
  process.stdout.write(`${reason.cause?.message ?? reason.message}\n`);
  process.exitCode = 1;
}
