import { Refusal } from '../../fixtures/reference/behaviour.js';
import type { Defect } from './defect.js';

/** What a web server writes where the API behind it gave no response. */
const BAD_GATEWAY =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad ' +
  'Gateway</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n';

/** The page is the web server's, the fault the API's: who answered excuses no 5xx. */
export const FRONTS: readonly Defect[] = [
  {
    id: 'worker-dies-behind-nginx',
    story: 'A lone surrogate kills the worker, and nginx answers for it with its own page.',
    clauses: ['ROB-05'],
    replace: (parts) => {
      const died = new WeakSet<object>();
      return {
        throttle: (context) => {
          if (!/\\ud[89ab][0-9a-f]{2}(?!\\ud)/i.test(context.rawBody.toString())) return parts.throttle(context);
          died.add(context);
          throw new Refusal(502, 'no response from the worker');
        },
        present: (answer, context) =>
          died.has(context)
            ? { status: 502, headers: { Server: 'nginx/1.22.1', 'Content-Type': 'text/html' }, body: BAD_GATEWAY }
            : parts.present(answer, context),
      };
    },
  },
];
