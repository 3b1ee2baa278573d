// The readers, authors and programs that visit the site. `plan` is written before this text; see
// plugins/module_utils/_load_test/plan.py for what it holds.
import http from 'k6/http';
import exec from 'k6/execution';
import { sleep } from 'k6';
import { Counter, Rate } from 'k6/metrics';

// Success and failure alike are counted, so that the rate is one.
const errors = new Rate('errors');
// Answers with which a firewall or a rate limit turns a visitor away.
const refused = new Counter('refused');

export const options = plan.options;

export function user() {
  const scenario = exec.scenario.name;
  for (const step of plan.scenarios[scenario]) {
    const path = step.paths[Math.floor(Math.random() * step.paths.length)];
    const tags = { kind: step.kind, step: `${scenario}.${step.name}`, name: `${scenario}.${step.name}` };
    const body = step.body ? JSON.stringify(step.body) : null;
    const headers = body ? Object.assign({ 'Content-Type': 'application/json' }, plan.headers) : plan.headers;
    const answer = http.request(step.method, plan.base_url + path, body, { headers, tags, timeout: '30s' });
    errors.add(!step.status.includes(answer.status), tags);
    if (answer.status === 403 || answer.status === 429) refused.add(1);
    sleep(plan.think[0] + Math.random() * (plan.think[1] - plan.think[0]));
  }
}

export function handleSummary(data) {
  const text = JSON.stringify({ metrics: data.metrics, state: data.state });
  if (plan.summary_url) {
    // Away from the machine that asked, the figures go to an address that was signed for them.
    const sent = http.put(plan.summary_url, text);
    return { stdout: `summary sent, status ${sent.status}\n` };
  }
  return { [__ENV.SUMMARY]: text };
}
