import { afterEach, expect, it } from 'vitest';
import { eraseRedis } from '../../src/log/redis/erase-redis.ts';
import { examined } from '../support/examined.ts';
import { newServers, settle, within } from '../support/hub-places.ts';
import { startHubProcess } from '../support/hub-process.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { get, postEvents } from '../support/rest-calls.ts';
import { runCli } from '../support/run-cli.ts';
import { freePorts, Hubs } from './suite/hubs.ts';

const wholeWindow = 'from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z';

/** What commands do where several processes share two servers, and cannot do with a file. */
describeWithEngines('servers as the hub', ['redis', 'mongo'], () => {
  const hubs = new Hubs(newServers);
  afterEach(() => hubs.end());

  it('take other settings over beside a running hub, which goes on until it is restarted', async () => {
    const { url, place } = await hubs.start();
    const adopted = await runCli(['config', 'adopt', '--event-types=sale:+', ...place.flags]);
    expect(adopted.code).toBe(0);
    expect(adopted.stderr).toContain('the store now has event types sale:+');
    expect(adopted.stderr).toContain('restart every hub process on it');
    const event = { user_id: 'u1', event_type: 'purchase', amount: '1' };
    expect((await postEvents(url, event)).status).toBe(201);
    const again = ['serve', ...freePorts, ...place.flags];
    const restarted = await runCli(again);
    expect(restarted.code).toBe(2);
    expect(restarted.stderr).toContain('"sale:+" in the store');
  });

  it('have a log that is adopted only with --yes, and not while a hub gets on with it', async () => {
    const { place } = await hubs.start();
    const careless = await runCli(['log', 'adopt', ...place.flags]);
    expect(careless.code).toBe(2);
    expect(careless.stderr).toContain('add --yes');
    const needless = await runCli(['log', 'adopt', '--yes', ...place.flags]);
    expect(needless.code).toBe(1);
    expect(needless.stderr).toContain('a hub reads this log and gets on with it');
  });

  it('have a log that is read anew when it was adopted, and counts nothing twice', async () => {
    const hub = await hubs.start();
    const { url, place } = hub;
    expect((await runCli(['generate', '--count=300', `--url=${url}`])).code).toBe(0);
    await settle(place);
    const before = (await get(url, `/aggregates?${wholeWindow}`)).json;
    expect(before.event_count).toBe(300);
    await hub.stop();
    const adopted = await runCli(['log', 'adopt', '--yes', ...place.flags]);
    expect(adopted).toMatchObject({ code: 0, stdout: '' });
    expect(adopted.stderr).toContain('is read from its start');
    expect(await within(place, ({ store }) => store.positions())).toEqual(new Map());
    const restarted = await hubs.startAt(place);
    await settle(place);
    expect((await get(restarted.url, `/aggregates?${wholeWindow}`)).json).toEqual(before);
    expect((await runCli(['metrics', 'verify', ...place.flags])).code).toBe(0);
  });

  it('keep all where not all can be removed, as after a hub was killed', async () => {
    const place = await hubs.newPlace();
    const hub = await startHubProcess(place, 'http,grpc,readers');
    expect((await runCli(['generate', '--count=10', `--url=${hub.url}`])).code).toBe(0);
    await settle(place);
    await hub.stop('SIGKILL');
    const before = [...(await place.traces())].sort();
    const refused = await runCli(['reset', '--yes', ...place.flags]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(place.words.inUse);
    expect([...(await place.traces())].sort()).toEqual(before);
  });

  it('keep what is in the store where the log cannot be removed', async () => {
    const hub = await hubs.start();
    const { place, url } = hub;
    expect((await runCli(['generate', '--count=10', `--url=${url}`])).code).toBe(0);
    await settle(place);
    await hub.stop();
    const before = [...(await place.traces())].sort();
    const away = 'redis://127.0.0.1:1';
    const refused = await runCli(['reset', '--yes', `--log=${away}`, `--store=${place.store}`]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('127.0.0.1:1');
    expect([...(await place.traces())].sort()).toEqual(before);
  });

  it('are emptied both where the log is gone already', async () => {
    const hub = await hubs.start();
    const { place, url } = hub;
    expect((await runCli(['generate', '--count=10', `--url=${url}`])).code).toBe(0);
    await settle(place);
    await hub.stop();
    await expect.poll(() => eraseRedis(place.log).then(() => 'done', String)).toBe('done');
    const done = await runCli(['reset', '--yes', ...place.flags]);
    expect(done).toMatchObject({ code: 0, stdout: '' });
    expect(done.stderr).toContain(`${place.log} is empty\n`);
    expect(await place.traces()).toEqual([]);
  });

  it('that do not answer are named each by doctor', async () => {
    const away = ['--log=redis://127.0.0.1:1', '--store=mongodb://127.0.0.1:1/hub'];
    const { code, find } = await examined([...freePorts, ...away]);
    expect(code).toBe(1);
    expect(find('redis')).toMatchObject({
      state: 'fail',
      detail: expect.stringContaining('cannot be reached'),
    });
    expect(find('store')).toMatchObject({
      state: 'fail',
      detail: expect.stringContaining('does not answer'),
    });
  });
});
