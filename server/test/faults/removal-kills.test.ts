import { newFile } from '../support/hub-places.ts';
import { removalKillsSuite } from './removal-kills.suite.ts';

removalKillsSuite('in a SQLite file', newFile);
