"""A session of all ten operations with boto3's client, waiters, paginators and exceptions."""

import filecmp
import os
import time
import uuid

import boto3
from botocore.exceptions import ClientError
from botocore.utils import calculate_tree_hash

MIB = 1024 * 1024
ACCOUNT = os.environ["FIRN_ACCOUNT_ID"]
glacier = boto3.client("glacier", endpoint_url=os.environ["FIRN_URL"])
vault = f"client-{uuid.uuid4().hex}"


def finished(job_id):
    deadline = time.monotonic() + 20
    while True:
        job = glacier.describe_job(vaultName=vault, jobId=job_id)
        if job["Completed"]:
            assert job["StatusCode"] == "Succeeded", job
            return job
        assert time.monotonic() < deadline, "the job does not complete"
        time.sleep(0.02)


def start(**parameters):
    answer = glacier.initiate_job(vaultName=vault, jobParameters=parameters)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["location"] == f"/{ACCOUNT}/vaults/{vault}/jobs/{answer['jobId']}"
    return answer["jobId"]


# Vaults.
answer = glacier.create_vault(vaultName=vault)
assert answer["location"] == f"/{ACCOUNT}/vaults/{vault}"
assert len(answer["ResponseMetadata"]["RequestId"]) == 47
glacier.get_waiter("vault_exists").wait(vaultName=vault)
described = glacier.describe_vault(accountId=ACCOUNT, vaultName=vault)
assert described["VaultARN"] == f"arn:aws:glacier:eu-north-1:{ACCOUNT}:vaults/{vault}"
assert "LastInventoryDate" not in described, "boto3 drops nulls"
assert described["NumberOfArchives"] == 0 and described["SizeInBytes"] == 0

# An archive from a file, with a description.
with open("archive.bin", "wb") as file:
    file.write(os.urandom(4 * MIB + 321))
with open("archive.bin", "rb") as file:
    tree_hash = calculate_tree_hash(file)
    file.seek(0)
    uploaded = glacier.upload_archive(
        vaultName=vault, archiveDescription='my  archive, "quoted"', body=file
    )
assert uploaded["checksum"] == tree_hash
archive = uploaded["archiveId"]
assert len(archive) == 138
small = glacier.upload_archive(vaultName=vault, body=b"small")["archiveId"]
assert glacier.describe_vault(vaultName=vault)["NumberOfArchives"] == 2

# Its retrieval, whole and in ranges.
job_id = start(Type="archive-retrieval", ArchiveId=archive, Description="a job", Tier="Bulk")
job = finished(job_id)
assert job["Action"] == "ArchiveRetrieval" and job["Tier"] == "Bulk"
assert job["SHA256TreeHash"] == job["ArchiveSHA256TreeHash"] == tree_hash
assert job["JobDescription"] == "a job"
output = glacier.get_job_output(vaultName=vault, jobId=job_id)
assert output["checksum"] == tree_hash
assert output["archiveDescription"] == 'my  archive, "quoted"'
with open("out.bin", "wb") as file:
    for chunk in output["body"].iter_chunks(65536):
        file.write(chunk)
assert filecmp.cmp("archive.bin", "out.bin", shallow=False)

with open("archive.bin", "rb") as file:
    whole = file.read()
part = glacier.get_job_output(vaultName=vault, jobId=job_id, range=f"bytes={4 * MIB}-{8 * MIB}")
assert part["status"] == 206
assert part["contentRange"] == f"bytes {4 * MIB}-{len(whole) - 1}/{len(whole)}"
assert part["body"].read() == whole[4 * MIB :]
assert "checksum" in part

ranged = start(
    Type="archive-retrieval", ArchiveId=archive, RetrievalByteRange=f"{MIB}-{3 * MIB - 1}"
)
assert "SHA256TreeHash" not in finished(ranged)
output = glacier.get_job_output(vaultName=vault, jobId=ranged, range="")
assert output["status"] == 200 and output["body"].read() == whole[MIB : 3 * MIB]

# Inventories.
inventory = start(Type="inventory-retrieval")
assert finished(inventory)["InventoryRetrievalParameters"] == {"Format": "JSON"}
output = glacier.get_job_output(vaultName=vault, jobId=inventory)
assert output["contentType"] == "application/json"
csv = start(Type="inventory-retrieval", Format="CSV", InventoryRetrievalParameters={"Limit": "1"})
assert "Marker" in finished(csv)["InventoryRetrievalParameters"]

# Lists.
pages = list(glacier.get_paginator("list_jobs").paginate(
    vaultName=vault, PaginationConfig={"PageSize": 3}
))
assert [len(page["JobList"]) for page in pages] == [3, 1]
assert pages[0]["JobList"][0]["JobId"] == csv, "the newest comes first"
found = [
    each["VaultName"]
    for page in glacier.get_paginator("list_vaults").paginate(limit="1")
    for each in page["VaultList"]
]
assert vault in found
assert glacier.list_vaults(limit="1000")["ResponseMetadata"]["HTTPStatusCode"] == 200

# Exceptions.
try:
    glacier.describe_vault(vaultName="no-such-vault")
    raise AssertionError("a vault that is not there")
except glacier.exceptions.ResourceNotFoundException as error:
    assert error.response["Error"]["Code"] == "ResourceNotFoundException"
    assert "Vault not found for ARN" in error.response["Error"]["Message"]
try:
    glacier.initiate_job(vaultName=vault)
    raise AssertionError("no parameters")
except glacier.exceptions.MissingParameterValueException as error:
    assert "Required parameter missing: type" in str(error)
try:
    glacier.upload_archive(vaultName=vault)
    raise AssertionError("no body")
except glacier.exceptions.InvalidParameterValueException as error:
    assert "Invalid Content-Length: 0" in str(error)
try:
    glacier.upload_archive(vaultName=vault, body=b"x", checksum="0" * 64)
    raise AssertionError("a wrong checksum")
except glacier.exceptions.InvalidParameterValueException as error:
    assert "Checksum mismatch" in str(error)
try:
    glacier.upload_archive(vaultName=vault, body=b"x", archiveDescription="caf\u00e9")
    raise AssertionError("a description beyond ASCII")
except ClientError as error:
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, error
try:
    glacier.delete_vault(vaultName=vault)
    raise AssertionError("a vault that is not empty")
except glacier.exceptions.InvalidParameterValueException as error:
    assert "Vault not empty or recently written to" in str(error)

# The end.
for archive_id in (archive, small, archive):
    glacier.delete_archive(vaultName=vault, archiveId=archive_id)
output = glacier.get_job_output(vaultName=vault, jobId=job_id)
assert output["body"].read() == whole, "a succeeded job keeps its bytes"
glacier.delete_vault(vaultName=vault)
glacier.delete_vault(vaultName=vault)
glacier.get_waiter("vault_not_exists").wait(vaultName=vault)
print("done")
