"""boto3's resource layer: every action, collection, attribute and reference that it has."""

import io
import json
import time

from boto3.exceptions import ResourceLoadException
from boto3.resources.base import ServiceResource
from botocore.utils import calculate_tree_hash
from counted_boto3 import (
    ACCOUNT, MIB, REGION, Refused, answered, arn_of, file_of, resource,
)

glacier = resource()
errors = glacier.meta.client.exceptions

# What was used of the layer: pairs of a resource's name and that of its member.
used = set()


def of(thing, member):
    """The member of a resource, which counts as used."""
    used.add((thing.meta.resource_model.name, member))
    return getattr(thing, member)


def do(thing, action, **parameters):
    return of(thing, action)(**parameters)


def ids(thing, collection, **parameters):
    found = of(thing, collection).filter(**parameters)
    return [each.name if hasattr(each, "name") else each.id for each in found]


def attributes(thing):
    """All attributes of a resource by their names."""
    model = thing.meta.resource_model
    shape = glacier.meta.client.meta.service_model.shape_for(model.shape)
    return {name: of(thing, name) for name in model.get_attributes(shape)}


class Described:
    """`with Described("Job", 1):` the block has to ask for a job's description so many times."""

    def __init__(self, kind, times):
        self.operation, self.times = f"Describe{kind}", times

    def __enter__(self):
        self.before = answered[self.operation]

    def __exit__(self, error, *_):
        if error is None:
            assert answered[self.operation] - self.before == self.times, self.operation


def wait_for(job):
    deadline = time.monotonic() + 20
    while not job.completed:
        assert time.monotonic() < deadline, "the job does not complete"
        time.sleep(0.02)
        job.reload()
    return job


# The service, the account and their vaults.
vault = do(glacier, "create_vault", vaultName="first")
assert isinstance(vault, ServiceResource) and (vault.account_id, vault.name) == ("-", "first")
account = do(glacier, "Account", id=ACCOUNT)
second = do(account, "create_vault", vaultName="second")
assert (second.account_id, second.name) == (ACCOUNT, "second")
assert do(account, "Vault", name="second") == second
third = do(glacier, "Vault", account_id="-", name="third")
assert do(third, "create")["location"] == f"/{ACCOUNT}/vaults/third"
assert do(third, "Account").id == "-"
names = ["first", "second", "third"]
assert ids(glacier, "vaults") == ids(account, "vaults") == names
assert [each.name for each in glacier.vaults.limit(2)] == names[:2]
assert [[each.name for each in page] for page in glacier.vaults.page_size(2).pages()] == [
    names[:2], names[2:],
]
assert ids(account, "vaults", page_size=1, marker=arn_of("first")) == names[1:]
with Described("Vault", 1):
    known = attributes(vault)
assert known["vault_arn"] == arn_of("first") and known["vault_name"] == "first"
assert (known["number_of_archives"], known["size_in_bytes"]) == (0, 0)
assert known["last_inventory_date"] is None and known["creation_date"].endswith("Z")
with Described("Vault", 0):
    [listed] = [each for each in glacier.vaults.all() if each.name == "first"]
    assert attributes(listed) == known
with Refused(errors.ResourceNotFoundException, "Vault not found for ARN"):
    glacier.Vault("-", "absent").load()

# An archive that goes up whole.
whole = file_of(3 * MIB, "whole.bin")
with open("whole.bin", "rb") as body:
    archive = do(vault, "upload_archive", archiveDescription="whole", body=body)
assert do(archive, "Vault") == vault
assert do(vault, "Archive", id=archive.id) == archive
assert do(glacier, "Archive", account_id="-", vault_name="first", id=archive.id) == archive
vault.reload()
assert (vault.number_of_archives, vault.size_in_bytes) == (1, len(whole))
assert vault.last_inventory_date is not None

# One that goes up in parts.
parted = file_of(5 * MIB // 2, "parted.bin")
tree_hash = calculate_tree_hash(io.BytesIO(parted))
upload = do(vault, "initiate_multipart_upload", archiveDescription="parts", partSize=str(MIB))
assert do(vault, "MultipartUpload", id=upload.id) == upload
assert do(glacier, "MultipartUpload", account_id="-", vault_name="first", id=upload.id) == upload
assert do(upload, "Vault") == vault
try:
    upload.creation_date
    raise AssertionError("an upload that was not listed knows its date")
except ResourceLoadException:
    pass
for first in (2 * MIB, 0, MIB):
    body = parted[first : first + MIB]
    put = do(upload, "upload_part", range=f"bytes {first}-{first + len(body) - 1}/*", body=body)
    assert put["checksum"] == calculate_tree_hash(io.BytesIO(body))
page = do(upload, "parts", limit="2")
assert [part["RangeInBytes"] for part in page["Parts"]] == ["0-1048575", "1048576-2097151"]
page = do(upload, "parts", limit="2", marker=page["Marker"])
assert [part["RangeInBytes"] for part in page["Parts"]] == ["2097152-2621439"]
abandoned = do(vault, "initiate_multipart_upload", partSize=str(4 * MIB))
for collection in ("multipart_uploads", "multipart_uplaods"):
    assert set(ids(vault, collection)) == {upload.id, abandoned.id}
    assert len(ids(vault, collection, page_size=1)) == 2
known = {each.id: attributes(each) for each in vault.multipart_uploads.all()}
for each, size, description in ((upload, MIB, "parts"), (abandoned, 4 * MIB, None)):
    assert known[each.id]["multipart_upload_id"] == each.id
    assert known[each.id]["archive_description"] == description
    assert known[each.id]["part_size_in_bytes"] == size
    assert known[each.id]["vault_arn"] == arn_of("first")
    assert known[each.id]["creation_date"].endswith("Z")
do(abandoned, "abort")
completed = do(upload, "complete", archiveSize=str(len(parted)), checksum=tree_hash)
assert completed["checksum"] == tree_hash
assert ids(vault, "multipart_uploads") == []
in_parts = vault.Archive(completed["archiveId"])

# Jobs. The first look at one that was just started is a question to the server.
job = do(in_parts, "initiate_archive_retrieval")
assert do(job, "Vault") == vault
assert do(vault, "Job", id=job.id) == job
assert do(glacier, "Job", account_id="-", vault_name="first", id=job.id) == job
with Described("Job", 1):
    assert job.action == "ArchiveRetrieval" and job.archive_id == in_parts.id
wait_for(job)
known = attributes(job)
assert {name: value for name, value in known.items() if not name.endswith("_date")} == {
    "job_id": job.id,
    "job_description": None,
    "action": "ArchiveRetrieval",
    "archive_id": in_parts.id,
    "vault_arn": arn_of("first"),
    "completed": True,
    "status_code": "Succeeded",
    "status_message": "Succeeded",
    "archive_size_in_bytes": len(parted),
    "inventory_size_in_bytes": None,
    "sns_topic": None,
    "sha256_tree_hash": tree_hash,
    "archive_sha256_tree_hash": tree_hash,
    "retrieval_byte_range": f"0-{len(parted) - 1}",
    "tier": "Standard",
    "inventory_retrieval_parameters": None,
    "job_output_path": None,
    "select_parameters": None,
    "output_location": None,
}, known
assert known["completion_date"] >= known["creation_date"]
with Described("Job", 0):
    [listed] = vault.jobs.all()
    assert attributes(listed) == known
output = do(job, "get_output")
assert output["body"].read() == parted and output["checksum"] == tree_hash
output = do(job, "get_output", range=f"bytes={2 * MIB}-")
assert output["status"] == 206 and output["body"].read() == parted[2 * MIB :]

parameters = {
    "Type": "archive-retrieval",
    "ArchiveId": archive.id,
    "Tier": "Bulk",
    "Description": "what waits",
    "RetrievalByteRange": f"{MIB}-{2 * MIB - 1}",
    "SNSTopic": f"arn:aws:sns:{REGION}:{ACCOUNT}:topic",
}
# What is given takes the place of all that the layer would have sent.
with Refused(errors.MissingParameterValueException, "Required parameter missing: type"):
    archive.initiate_archive_retrieval(jobParameters={"Tier": "Bulk"})
waits = do(archive, "initiate_archive_retrieval", jobParameters=parameters)
assert waits.completed is False and waits.status_code == "InProgress"
assert (waits.tier, waits.job_description) == ("Bulk", "what waits")
assert waits.retrieval_byte_range == parameters["RetrievalByteRange"]
assert waits.sns_topic == parameters["SNSTopic"] and waits.completion_date is None
with Refused(errors.InvalidParameterValueException, "not currently available for download"):
    waits.get_output()

inventory = wait_for(do(vault, "initiate_inventory_retrieval"))
assert inventory.action == "InventoryRetrieval" and inventory.tier is None
document = inventory.get_output()["body"].read()
assert inventory.inventory_size_in_bytes == len(document)
assert inventory.inventory_retrieval_parameters == {"Format": "JSON"}
listing = {each["ArchiveId"]: each for each in json.loads(document)["ArchiveList"]}
assert set(listing) == {archive.id, in_parts.id}
assert listing[in_parts.id]["ArchiveDescription"] == "parts"
assert listing[in_parts.id]["SHA256TreeHash"] == tree_hash

done = [inventory.id, job.id]
assert ids(vault, "jobs") == [inventory.id, waits.id, job.id], "the newest comes first"
assert ids(vault, "jobs", page_size=1) == [inventory.id, waits.id, job.id]
assert ids(vault, "jobs", completed="false") == ids(vault, "jobs_in_progress") == [waits.id]
assert ids(vault, "completed_jobs") == ids(vault, "succeeded_jobs") == done
assert ids(vault, "failed_jobs") == []

# Notifications.
notification = do(vault, "Notification")
assert notification == do(glacier, "Notification", account_id="-", vault_name="first")
assert do(notification, "Vault") == vault
with Refused(errors.ResourceNotFoundException):
    notification.load()
config = {
    "SNSTopic": f"arn:aws:sns:{REGION}:{ACCOUNT}:topic",
    "Events": ["ArchiveRetrievalCompleted"],
}
do(notification, "set", vaultNotificationConfig=config)
notification.reload()
assert attributes(notification) == {"sns_topic": config["SNSTopic"], "events": config["Events"]}
do(notification, "delete")
do(notification, "delete")

# The end.
for each in (archive, in_parts):
    do(each, "delete")
for each in (vault, second, third):
    do(each, "delete")
assert list(glacier.vaults.all()) == []


def members_of(thing):
    """All that a resource has, as boto3 itself describes it."""
    model = thing.meta.resource_model
    parts = (model.actions, model.collections, model.subresources, model.references)
    yield from (member.name for part in parts for member in part)
    if model.shape:
        shape = glacier.meta.client.meta.service_model.shape_for(model.shape)
        yield from model.get_attributes(shape)


whole_layer = {
    (each.meta.resource_model.name, name)
    for each in (glacier, account, vault, archive, upload, job, notification)
    for name in members_of(each)
}
assert whole_layer == used, whole_layer ^ used
print("done")
