import { invalidParameter } from '../protocol/errors.ts';
import { parseTopicArn } from '../protocol/names.ts';

/**
 * A topic's ARN, if it is one of the region: `400` for anything else. The topic is not asked whether it
 * exists or may be published to: the guide leaves that out.
 */
export function checkTopic(arn: string, region: string): string {
  const topic = parseTopicArn(arn);
  if (topic === undefined) throw invalidParameter(`Invalid SNS topic ARN: ${arn}`);
  if (topic.region !== region) {
    throw invalidParameter(`SNS topics must be in the local AWS region: ${arn}`);
  }
  return arn;
}
