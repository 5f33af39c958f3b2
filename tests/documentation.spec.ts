import { clause } from '../fixtures/check/clause.js';
import { judgeServedSchema } from './support/responses/openapi-diff.js';
import { judgeSwaggerUi } from './support/responses/swagger-ui.js';

clause('DOC-01', judgeSwaggerUi);

clause('DOC-02', judgeServedSchema);
