"""All 33 operations with boto3's client, on real files, with its paginators and waiters."""

import io
import json
import threading

from botocore.exceptions import ClientError
from botocore.utils import calculate_tree_hash
from counted_boto3 import (
    ACCOUNT, MIB, REGION, Refused, answered, arn_of, client, file_of, finished,
)

glacier = client()
errors = glacier.exceptions
vault = "client"
where = {"vaultName": vault}


def tree_hash(data):
    return calculate_tree_hash(io.BytesIO(data))


def output_of(job_id, **parameters):
    output = glacier.get_job_output(vaultName=vault, jobId=job_id, **parameters)
    return output, output["body"].read()


def start(**parameters):
    return glacier.initiate_job(vaultName=vault, jobParameters=parameters)["jobId"]


def pages(operation, member, size, **parameters):
    paginator = glacier.get_paginator(operation)
    found = paginator.paginate(PaginationConfig={"PageSize": size}, **parameters)
    return [page[member] for page in found]


def continued(operation, member, **parameters):
    """The items of two listings, of which the second goes on where the first was cut short."""
    paginator = glacier.get_paginator(operation)
    cut = {"PageSize": 1, "MaxItems": 1}
    first = paginator.paginate(PaginationConfig=cut, **parameters).build_full_result()
    rest = {"PageSize": 1, "StartingToken": first["NextToken"]}
    second = paginator.paginate(PaginationConfig=rest, **parameters).build_full_result()
    assert len(first[member]) == 1 and "NextToken" not in second
    return first[member] + second[member]


# Vaults: one is waited for before it is there.
waiting = {"Delay": 0.1, "MaxAttempts": 100}
later = threading.Timer(0.3, lambda: client().create_vault(**where))
later.start()
glacier.get_waiter("vault_exists").wait(**where, WaiterConfig=waiting)
later.join()
assert glacier.describe_vault(**where)["VaultARN"] == arn_of(vault)
for name in ("second", "third"):
    assert glacier.create_vault(vaultName=name)["location"] == f"/{ACCOUNT}/vaults/{name}"
sizes = [len(page) for page in pages("list_vaults", "VaultList", 2)]
assert sizes == [2, 1], sizes
names = [each["VaultName"] for each in continued("list_vaults", "VaultList")]
assert names == ["client", "second", "third"], names

# A file that goes up whole.
whole = file_of(3 * MIB + 777, "whole.bin")
with open("whole.bin", "rb") as file:
    uploaded = glacier.upload_archive(**where, archiveDescription="whole", body=file)
assert uploaded["checksum"] == tree_hash(whole)

# A file that goes up in parts, in any order.
parted = file_of(5 * MIB // 2, "parted.bin")
started = glacier.initiate_multipart_upload(
    **where, partSize=str(MIB), archiveDescription="in parts"
)
upload = {**where, "uploadId": started["uploadId"]}
assert started["location"] == f"/{ACCOUNT}/vaults/{vault}/multipart-uploads/{upload['uploadId']}"
[listed] = glacier.list_multipart_uploads(**where)["UploadsList"]
assert listed["MultipartUploadId"] == upload["uploadId"]
assert listed["ArchiveDescription"] == "in parts" and listed["PartSizeInBytes"] == MIB


def put(first, body, **upload):
    last = first + len(body) - 1
    return glacier.upload_multipart_part(**upload, range=f"bytes {first}-{last}/*", body=body)


with open("parted.bin", "rb") as file:
    for index in (2, 0, 1):
        file.seek(index * MIB)
        body = file.read(MIB)
        assert put(index * MIB, body, **upload)["checksum"] == tree_hash(body)
ranges = [
    [(part["RangeInBytes"], part["SHA256TreeHash"]) for part in page]
    for page in pages("list_parts", "Parts", 1, **upload)
]
assert ranges == [
    [(f"{first}-{first + len(body) - 1}", tree_hash(body))]
    for first, body in ((at, parted[at : at + MIB]) for at in range(0, len(parted), MIB))
], ranges
assert len(continued("list_parts", "Parts", **upload)) == 3
last = glacier.list_parts(**upload, limit="50")
assert "Marker" not in last and len(last["Parts"]) == 3


def complete(size=len(parted), checksum=tree_hash(parted), **upload):
    return glacier.complete_multipart_upload(**upload, archiveSize=str(size), checksum=checksum)


with Refused(errors.InvalidParameterValueException, "Invalid x-amz-archive-size"):
    complete(size=len(parted) + 1, **upload)
with Refused(errors.InvalidParameterValueException, "Invalid x-amz-sha256-tree-hash"):
    complete(checksum="0" * 64, **upload)
assert len(glacier.list_multipart_uploads(**where)["UploadsList"]) == 1
completed = complete(**upload)
assert completed["checksum"] == tree_hash(parted)
assert completed["location"] == f"/{ACCOUNT}/vaults/{vault}/archives/{completed['archiveId']}"
assert complete(**upload)["archiveId"] == completed["archiveId"]
assert glacier.list_multipart_uploads(**where)["UploadsList"] == []
for deed in (glacier.list_parts, glacier.abort_multipart_upload):
    with Refused(errors.ResourceNotFoundException, "The upload ID was not found"):
        deed(**upload)
assert glacier.describe_vault(**where)["NumberOfArchives"] == 2

# Uploads that come to nothing.
uploads = [
    glacier.initiate_multipart_upload(**where, partSize=str(MIB))["uploadId"] for _ in range(3)
]
sizes = [len(page) for page in pages("list_multipart_uploads", "UploadsList", 2, **where)]
assert sizes == [2, 1], sizes
found = continued("list_multipart_uploads", "UploadsList", **where)
assert {each["MultipartUploadId"] for each in found} == set(uploads)
upload = {**where, "uploadId": uploads[0]}
for first in (0, 2 * MIB):
    put(first, parted[first : first + MIB], **upload)
with Refused(errors.InvalidParameterValueException, "Missing content range"):
    complete(**upload)
for first, body in ((MIB // 2, bytes(MIB)), (0, bytes(MIB + 1)), (10_000 * MIB, bytes(MIB))):
    with Refused(errors.InvalidParameterValueException):
        put(first, body, **upload)
for wrong in ("bytes=0-1048575/*", "bytes 0-1048574/*", "bytes 9-8/*"):
    with Refused(errors.InvalidParameterValueException, wrong):
        glacier.upload_multipart_part(**upload, range=wrong, body=bytes(MIB))
for upload_id in uploads:
    glacier.abort_multipart_upload(**where, uploadId=upload_id)
    glacier.abort_multipart_upload(**where, uploadId=upload_id)
with Refused(errors.ResourceNotFoundException, "The upload ID was not found"):
    put(0, bytes(MIB), **upload)

# Both archives come down, whole and in ranges.
jobs = {}
for archive, data in ((uploaded["archiveId"], whole), (completed["archiveId"], parted)):
    job_id = start(Type="archive-retrieval", ArchiveId=archive)
    job = finished(glacier, vault, job_id)
    assert job["SHA256TreeHash"] == job["ArchiveSHA256TreeHash"] == tree_hash(data)
    assert job["RetrievalByteRange"] == f"0-{len(data) - 1}"
    output, got = output_of(job_id)
    assert got == data and output["checksum"] == tree_hash(got) and output["status"] == 200
    for first in range(0, len(data), 2 * MIB):
        output, got = output_of(job_id, range=f"bytes={first}-{first + 2 * MIB - 1}")
        assert got == data[first : first + 2 * MIB] and output["status"] == 206
        assert output["checksum"] == tree_hash(got)
        assert output["contentRange"] == f"bytes {first}-{first + len(got) - 1}/{len(data)}"
    jobs[job_id] = data
inventory = start(Type="inventory-retrieval")
finished(glacier, vault, inventory)
listing = json.loads(output_of(inventory)[1])["ArchiveList"]
assert {each["ArchiveId"]: each["SHA256TreeHash"] for each in listing} == {
    uploaded["archiveId"]: tree_hash(whole), completed["archiveId"]: tree_hash(parted),
}
sizes = [len(page) for page in pages("list_jobs", "JobList", 2, **where)]
assert sizes == [2, 1], sizes
found = [each["JobId"] for each in continued("list_jobs", "JobList", **where)]
assert found[0] == inventory and set(found) == {inventory, *jobs}

# Tags, notifications, access policy.
assert glacier.list_tags_for_vault(**where)["Tags"] == {}
glacier.add_tags_to_vault(**where, Tags={"project": "tour", "hold": ""})
assert glacier.list_tags_for_vault(**where)["Tags"] == {"project": "tour", "hold": ""}
glacier.remove_tags_from_vault(**where, TagKeys=["hold", "absent"])
assert glacier.list_tags_for_vault(**where)["Tags"] == {"project": "tour"}

config = {"SNSTopic": f"arn:aws:sns:{REGION}:{ACCOUNT}:topic", "Events": [
    "InventoryRetrievalCompleted", "ArchiveRetrievalCompleted",
]}
glacier.set_vault_notifications(**where, vaultNotificationConfig=config)
assert glacier.get_vault_notifications(**where)["vaultNotificationConfig"] == config
glacier.delete_vault_notifications(**where)
with Refused(errors.ResourceNotFoundException, "No notification configuration is set for vault"):
    glacier.get_vault_notifications(**where)

policy = {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [{
    "Sid": "age", "Effect": "Deny", "Principal": "*", "Action": "glacier:DeleteArchive",
    "Resource": arn_of(vault),
    "Condition": {"NumericLessThan": {"glacier:ArchiveAgeInDays": "1"}},
}]}, indent=1)}
glacier.set_vault_access_policy(**where, policy=policy)
assert glacier.get_vault_access_policy(**where)["policy"] == policy
glacier.delete_vault_access_policy(**where)
with Refused(errors.ResourceNotFoundException):
    glacier.get_vault_access_policy(**where)

# The lock of another vault: the tour goes on deleting in its own.
other = {"vaultName": "second"}
policy = {"Policy": policy["Policy"].replace(arn_of(vault), arn_of("second"))}
with Refused(errors.ResourceNotFoundException):
    glacier.get_vault_lock(**other)
glacier.abort_vault_lock(**other)
first = glacier.initiate_vault_lock(**other, policy=policy)["lockId"]
lock = glacier.get_vault_lock(**other)
assert lock["State"] == "InProgress" and lock["Policy"] == policy["Policy"]
assert lock["ExpirationDate"] > lock["CreationDate"]
with Refused(ClientError, "AccessDeniedException"):
    glacier.initiate_vault_lock(**other, policy=policy)
glacier.abort_vault_lock(**other)
with Refused(errors.ResourceNotFoundException):
    glacier.complete_vault_lock(**other, lockId=first)
second = glacier.initiate_vault_lock(**other, policy=policy)["lockId"]
with Refused(errors.InvalidParameterValueException):
    glacier.complete_vault_lock(**other, lockId=first)
for _ in range(2):
    glacier.complete_vault_lock(**other, lockId=second)
lock = glacier.get_vault_lock(**other)
assert lock["State"] == "Locked" and "ExpirationDate" not in lock
for deed in (
    lambda: glacier.abort_vault_lock(**other),
    lambda: glacier.complete_vault_lock(**other, lockId=first),
    lambda: glacier.initiate_vault_lock(**other, policy=policy),
):
    with Refused(ClientError, "AccessDeniedException"):
        deed()

# The account's own settings.
assert glacier.get_data_retrieval_policy()["Policy"] == {"Rules": [{"Strategy": "None"}]}
for rule in (
    {"Strategy": "BytesPerHour", "BytesPerHour": 2**63 - 1},
    {"Strategy": "FreeTier"},
    {"Strategy": "None"},
):
    glacier.set_data_retrieval_policy(Policy={"Rules": [rule]})
    assert glacier.get_data_retrieval_policy()["Policy"] == {"Rules": [rule]}
assert glacier.list_provisioned_capacity()["ProvisionedCapacityList"] == []
capacity = glacier.purchase_provisioned_capacity()["capacityId"]
[unit] = glacier.list_provisioned_capacity()["ProvisionedCapacityList"]
assert unit["CapacityId"] == capacity and len(capacity) == 24
assert unit["ExpirationDate"].endswith(".000Z") and unit["ExpirationDate"] > unit["StartDate"]

# The end: the vault is waited for until it is gone.
for archive in (uploaded["archiveId"], completed["archiveId"]):
    glacier.delete_archive(**where, archiveId=archive)
later = threading.Timer(0.3, lambda: client().delete_vault(**where))
later.start()
glacier.get_waiter("vault_not_exists").wait(**where, WaiterConfig=waiting)
later.join()
for name in ("second", "third"):
    glacier.delete_vault(vaultName=name)

operations = set(glacier.meta.service_model.operation_names)
assert len(operations) == 33
assert set(answered) == operations, operations ^ set(answered)
print("done")
