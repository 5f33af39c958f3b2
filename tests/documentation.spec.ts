import { clause } from '../fixtures/clause.js';
import { judgeServedSchema } from '../fixtures/served-schema.js';
import { judgeSwaggerUi } from '../fixtures/swagger-page.js';

clause('DOC-01', judgeSwaggerUi);

clause('DOC-02', judgeServedSchema);
