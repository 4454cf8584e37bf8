"""Each error that the service model knows and a caller can provoke, as the class it becomes."""

import io
import json

from botocore.exceptions import ClientError
from counted_boto3 import ACCOUNT, MIB, REGION, Refused, arn_of, client

glacier = client()
errors = glacier.exceptions
vault = {"vaultName": "errors"}
absent = {"vaultName": "absent"}
glacier.create_vault(**vault)
archive = glacier.upload_archive(**vault, body=bytes(1000))["archiveId"]
# The classes that were seen.
seen = set()


def refused(error, text, deed, **parameters):
    with Refused(error, text):
        deed(**parameters)
    seen.add(error.__name__)


def policy_of(**changes):
    statement = {
        "Effect": "Deny", "Principal": "*", "Action": "glacier:DeleteArchive",
        "Resource": arn_of("errors"), **changes,
    }
    kept = {name: value for name, value in statement.items() if value is not None}
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [kept]})}


# 404: every operation on a vault that is not there, but for those that make or delete one.
upload = {"uploadId": "A" * 92}
job = {"jobId": "A" * 92}
part = {**upload, "range": "bytes 0-0/*", "body": b"x"}
whole = {**upload, "archiveSize": "1", "checksum": "0" * 64}
topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:topic"
notified = {"SNSTopic": topic, "Events": ["ArchiveRetrievalCompleted"]}
on_a_vault = {
    "abort_multipart_upload": upload,
    "abort_vault_lock": {},
    "add_tags_to_vault": {"Tags": {"key": "value"}},
    "complete_multipart_upload": whole,
    "complete_vault_lock": {"lockId": "A" * 24},
    "delete_archive": {"archiveId": "A" * 138},
    "delete_vault_access_policy": {},
    "delete_vault_notifications": {},
    "describe_job": job,
    "describe_vault": {},
    "get_job_output": job,
    "get_vault_access_policy": {},
    "get_vault_lock": {},
    "get_vault_notifications": {},
    "initiate_job": {"jobParameters": {"Type": "inventory-retrieval"}},
    "initiate_multipart_upload": {"partSize": str(MIB)},
    "initiate_vault_lock": {"policy": policy_of(Resource=arn_of("absent"))},
    "list_jobs": {},
    "list_multipart_uploads": {},
    "list_parts": upload,
    "list_tags_for_vault": {},
    "remove_tags_from_vault": {"TagKeys": ["key"]},
    "set_vault_access_policy": {"policy": policy_of(Resource=arn_of("absent"))},
    "set_vault_notifications": {"vaultNotificationConfig": notified},
    "upload_archive": {"body": b"x"},
    "upload_multipart_part": part,
}
takes_a_vault = {
    method
    for method, name in glacier.meta.method_to_api_mapping.items()
    if "vaultName" in glacier.meta.service_model.operation_model(name).input_shape.members
}
assert takes_a_vault == {"create_vault", "delete_vault", *on_a_vault}
for method, parameters in on_a_vault.items():
    missing = f"Vault not found for ARN: {arn_of('absent')}"
    deed = getattr(glacier, method)
    refused(errors.ResourceNotFoundException, missing, deed, **absent, **parameters)
for method, parameters in {
    "list_parts": upload,
    "abort_multipart_upload": upload,
    "complete_multipart_upload": whole,
    "upload_multipart_part": part,
    "describe_job": job,
    "get_job_output": job,
    "get_vault_access_policy": {},
    "get_vault_lock": {},
    "get_vault_notifications": {},
}.items():
    refused(errors.ResourceNotFoundException, "", getattr(glacier, method), **vault, **parameters)

# 400: values.
invalid = errors.InvalidParameterValueException
retrieval = {"Type": "archive-retrieval", "ArchiveId": archive}
for method, text, parameters in (
    ("initiate_multipart_upload", "Invalid part size: 1000000.", {"partSize": "1000000"}),
    ("upload_archive", "Checksum mismatch", {"body": b"x", "checksum": "0" * 64}),
    ("upload_archive", "Invalid x-amz-sha256-tree-hash: 000", {"body": b"x", "checksum": "000"}),
    ("list_jobs", "", {"limit": "0"}),
    ("list_jobs", "", {"marker": "nowhere"}),
    ("list_jobs", "", {"statuscode": "Lost"}),
    ("initiate_job", "", {"jobParameters": {"Type": "archive"}}),
    ("initiate_job", "", {"jobParameters": {**retrieval, "RetrievalByteRange": "0-99"}}),
    ("add_tags_to_vault", "", {"Tags": {"aws:key": "value"}}),
    ("add_tags_to_vault", "", {"Tags": {str(number): "" for number in range(11)}}),
    ("remove_tags_from_vault", "", {"TagKeys": []}),
    ("set_vault_notifications", "", {"vaultNotificationConfig": {**notified, "Events": ["All"]}}),
    ("set_vault_access_policy", "", {"policy": policy_of(Principal=None)}),
    ("initiate_vault_lock", "", {"policy": policy_of(Action="s3:DeleteObject")}),
    ("delete_vault", "Vault not empty or recently written to", {}),
):
    refused(invalid, text, getattr(glacier, method), **vault, **parameters)
refused(invalid, "", glacier.create_vault, vaultName="no blanks")
refused(invalid, "", glacier.list_vaults, limit="many")
for rules in ([], [{"Strategy": "Some"}], [{"Strategy": "None", "BytesPerHour": 1}]):
    refused(invalid, "", glacier.set_data_retrieval_policy, Policy={"Rules": rules})

# 400: nothing where something must be.
absence = errors.MissingParameterValueException
for method, name, parameters in (
    ("initiate_job", "type", {"jobParameters": {}}),
    ("complete_multipart_upload", "x-amz-sha256-tree-hash", {**upload, "archiveSize": "1"}),
    ("complete_multipart_upload", "x-amz-archive-size", {**upload, "checksum": "0" * 64}),
    ("upload_multipart_part", "Content-Range", {**upload, "body": b"x"}),
    ("add_tags_to_vault", "Tags", {}),
    ("remove_tags_from_vault", "TagKeys", {}),
    ("set_vault_notifications", "SNSTopic", {}),
    ("set_vault_access_policy", "", {}),
    ("initiate_vault_lock", "", {}),
):
    text = f"Required parameter missing: {name}"
    refused(absence, text, getattr(glacier, method), **vault, **parameters)
text = "Required parameter missing: Policy"
refused(absence, text, glacier.set_data_retrieval_policy)

# 400: limits.
for _ in range(2):
    glacier.purchase_provisioned_capacity()
refused(errors.LimitExceededException, "", glacier.purchase_provisioned_capacity)
for first in range(0, 50, 10):
    glacier.add_tags_to_vault(**vault, Tags={f"key{first + each}": "" for each in range(10)})
refused(errors.LimitExceededException, "", glacier.add_tags_to_vault, **vault, Tags={"more": ""})
glacier.add_tags_to_vault(**vault, Tags={"key0": "another value"})

# 400: retrievals that the account does not want, or has no capacity for. A thousand bytes within
# the four hours of a retrieval are 250 an hour.
limit = {"Rules": [{"Strategy": "BytesPerHour", "BytesPerHour": 249}]}
glacier.set_data_retrieval_policy(Policy=limit)
text = "InitiateJob request denied by current data retrieval policy."
deed = glacier.initiate_job
refused(errors.PolicyEnforcedException, text, deed, **vault, jobParameters=retrieval)
limit["Rules"][0]["BytesPerHour"] += 1
glacier.set_data_retrieval_policy(Policy=limit)
glacier.initiate_job(**vault, jobParameters=retrieval)
refused(errors.PolicyEnforcedException, text, deed, **vault, jobParameters=retrieval)
expedited = {**retrieval, "Tier": "Expedited"}
# Two units cover three of them each within five minutes.
for _ in range(6):
    glacier.initiate_job(**vault, jobParameters=expedited)
refused(errors.InsufficientCapacityException, "", deed, **vault, jobParameters=expedited)
glacier.initiate_job(**vault, jobParameters={**retrieval, "Tier": "Bulk"})


# 408: a body that stops in the middle.
class Stalling(io.BytesIO):
    sending = False

    def read(self, size=-1):
        return super().read(size) if not self.sending else b""


body = Stalling(b"the length of this is announced")
glacier.meta.events.register("before-send.glacier", lambda **_: setattr(body, "sending", True))
refused(errors.RequestTimeoutException, "", glacier.upload_archive, **vault, body=body)

# Codes without a class of their own.
glacier = client()
glacier.initiate_vault_lock(**vault, policy=policy_of())
with Refused(ClientError, "AccessDeniedException"):
    glacier.initiate_vault_lock(**vault, policy=policy_of())
with Refused(ClientError, "UnrecognizedClientException"):
    glacier.describe_vault(accountId="asdf", **vault)

# No caller can bring about that the service fails, or that it no longer offers something.
modelled = {shape.name for shape in glacier.meta.service_model.error_shapes}
unprovoked = {"ServiceUnavailableException", "NoLongerSupportedException"}
assert seen == modelled - unprovoked, seen ^ modelled
print("done")
