// Readers at a constant rate over the nodes of the load balancer. Environment: URLS (comma between), RATE, SUMMARY.
import http from 'k6/http';
import exec from 'k6/execution';

const urls = __ENV.URLS.split(',');

export const options = {
  scenarios: {
    readers: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE),
      timeUnit: '1s',
      duration: '3h',
      preAllocatedVUs: 200,
      maxVUs: 400,
      gracefulStop: '30s',
    },
  },
};

export default function () {
  http.get(urls[exec.scenario.iterationInTest % urls.length]);
}

export function handleSummary(data) {
  return { [__ENV.SUMMARY]: JSON.stringify(data) };
}
