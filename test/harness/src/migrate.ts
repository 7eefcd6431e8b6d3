// A process of its own: the migration engine holds its process for seconds after it is done.
import { migratePostgres } from '@sotto/platform/database';

await migratePostgres(process.argv[2] ?? '');
process.exit(0);
