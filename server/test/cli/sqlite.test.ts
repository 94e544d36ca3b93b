import { newFile } from '../support/hub-places.ts';
import { cliSuite } from './cli.suite.ts';

cliSuite('on SQLite', newFile);
