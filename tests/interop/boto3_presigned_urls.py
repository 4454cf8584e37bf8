"""Presigned URLs of boto3, used by a program that knows nothing of signatures."""

import json
import os
import urllib.error
import urllib.request
import uuid

import boto3

glacier = boto3.client("glacier", endpoint_url=os.environ["FIRN_URL"])
vault = f"presigned-{uuid.uuid4().hex}"
glacier.create_vault(vaultName=vault)


def fetch(url, method="GET", headers=None):
    headers = {"x-amz-glacier-version": "2012-06-01", **(headers or {})}
    request = urllib.request.Request(url, method=method, headers=headers)
    with urllib.request.urlopen(request) as response:
        return response.status, response.read()


url = glacier.generate_presigned_url("describe_vault", Params={"vaultName": vault}, ExpiresIn=60)
status, body = fetch(url)
assert status == 200 and json.loads(body)["VaultName"] == vault

url = glacier.generate_presigned_url("list_vaults", Params={"limit": "10"})
assert vault in [each["VaultName"] for each in json.loads(fetch(url)[1])["VaultList"]]

archive = glacier.upload_archive(vaultName=vault, body=b"by a presigned URL")["archiveId"]
parameters = {"Type": "archive-retrieval", "ArchiveId": archive}
job = glacier.initiate_job(vaultName=vault, jobParameters=parameters)["jobId"]
while not glacier.describe_job(vaultName=vault, jobId=job)["Completed"]:
    pass
where = {"vaultName": vault, "jobId": job}
url = glacier.generate_presigned_url("get_job_output", Params=where)
assert fetch(url) == (200, b"by a presigned URL")
assert fetch(url, headers={"Range": "bytes=3-3"}) == (206, b"a")

try:
    fetch(url.replace(job, job[:-1] + ("A" if job[-1] != "A" else "B")))
    raise AssertionError("a changed URL")
except urllib.error.HTTPError as error:
    assert error.code == 403
    assert json.loads(error.read())["code"] == "InvalidSignatureException"

where = {"vaultName": vault, "archiveId": archive}
url = glacier.generate_presigned_url("delete_archive", Params=where)
assert fetch(url, method="DELETE")[0] == 204
print("done")
