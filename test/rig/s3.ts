import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { gateway } from '../../recipes/providers/local/names.js'
import { stateFrom } from '../../recipes/providers/local/state.js'
import { startMoto } from './moto.js'

const run = promisify(execFile)

/** An S3 that local nodes reach, with one bucket and one user who may use it. It checks every signature. */
export interface S3 {
  readonly endpoint: string
  readonly bucket: string
  readonly accessKey: string
  readonly secretKey: string
  /** Runs Python that has the user's client `s3` and the name of the `bucket`, and returns what it prints. */
  python(code: string): Promise<string>
  stop(): Promise<void>
}

const bucket = 'backups'

// Whoever comes before anybody has a key may do all; then only those who sign rightly, and what their policies let them.
const setUp = `
import json, sys, urllib.request, boto3
url = sys.argv[1]
aws = dict(endpoint_url=url, region_name='us-east-1', aws_access_key_id='first', aws_secret_access_key='first')
boto3.client('s3', **aws).create_bucket(Bucket='${bucket}')
iam = boto3.client('iam', **aws)
iam.create_user(UserName='kraft')
statement = [{'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}]
policy = json.dumps({'Version': '2012-10-17', 'Statement': statement})
iam.put_user_policy(UserName='kraft', PolicyName='backups', PolicyDocument=policy)
key = iam.create_access_key(UserName='kraft')['AccessKey']
reset = urllib.request.Request(url + '/moto-api/reset-auth', b'0', {'Content-Type': 'text/plain'})
urllib.request.urlopen(reset).close()
print(json.dumps([key['AccessKeyId'], key['SecretAccessKey']]))
`

const client = `
import os, boto3
s3, bucket = boto3.client('s3', endpoint_url=os.environ['S3'], region_name='us-east-1'), '${bucket}'
`

/** Starts it; it dies with this process, whatever happens. */
export async function startS3(env: NodeJS.ProcessEnv): Promise<S3> {
  const moto = await startMoto([], gateway(stateFrom(env)))
  const [accessKey = '', secretKey = ''] = JSON.parse((await run(moto.python, ['-c', setUp, moto.url])).stdout)
  const given = { ...process.env, S3: moto.url, AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey }
  return {
    endpoint: moto.url,
    bucket,
    accessKey,
    secretKey,
    python: async (code) =>
      (await run(moto.python, ['-c', `${client}${code}`], { env: given, maxBuffer: 64 << 20 })).stdout.trim(),
    stop: moto.stop,
  }
}
