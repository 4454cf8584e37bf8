"""A presigned URL of each operation without a body, used by a program that knows no signatures."""

import json
import urllib.error
import urllib.request

from botocore.utils import calculate_tree_hash
from counted_boto3 import ACCOUNT, MIB, REGION, arn_of, client, file_of, finished

glacier = client()
model = glacier.meta.service_model
vault = {"vaultName": "presigned"}
# The operations that a URL was used for, with success.
used = set()


def fetch(operation, **parameters):
    """Status, headers and body of what a URL for `operation` gives."""
    method = next(
        name for name, known in glacier.meta.method_to_api_mapping.items() if known == operation
    )
    url = glacier.generate_presigned_url(method, Params=parameters, ExpiresIn=60)
    headers = {"x-amz-glacier-version": "2012-06-01"}
    for name, shape in model.operation_model(operation).input_shape.members.items():
        if shape.serialization.get("location") == "header" and name in parameters:
            headers[shape.serialization["name"]] = parameters[name]
    verb = model.operation_model(operation).http["method"]
    request = urllib.request.Request(url, method=verb, headers=headers)
    with urllib.request.urlopen(request) as response:
        used.add(operation)
        return response.status, response.headers, response.read()


def document(operation, **parameters):
    status, headers, body = fetch(operation, **parameters)
    assert status == 200 and headers["Content-Type"] == "application/json"
    return json.loads(body)


def refused(status, operation, **parameters):
    try:
        fetch(operation, **parameters)
    except urllib.error.HTTPError as error:
        assert error.code == status, error.read()
        return json.loads(error.read())["code"]
    raise AssertionError(f"{operation} was not refused")


# Vaults.
status, headers, body = fetch("CreateVault", **vault)
assert (status, headers["Location"], body) == (201, f"/{ACCOUNT}/vaults/presigned", b"")
assert document("DescribeVault", **vault)["VaultARN"] == arn_of("presigned")
[listed] = document("ListVaults", limit="1")["VaultList"]
assert listed["VaultName"] == "presigned"

# A multipart upload, of which only the parts need more than a URL.
whole = file_of(3 * MIB // 2, "whole.bin")
with open("whole.bin", "rb") as file:
    tree_hash = calculate_tree_hash(file)
start = {"partSize": str(MIB), "archiveDescription": "in parts"}
status, headers, _ = fetch("InitiateMultipartUpload", **vault, **start)
upload = {**vault, "uploadId": headers["x-amz-multipart-upload-id"]}
assert status == 201 and len(upload["uploadId"]) == 92
[listed] = document("ListMultipartUploads", **vault)["UploadsList"]
assert listed["ArchiveDescription"] == "in parts"
for first in (MIB, 0):
    body = whole[first : first + MIB]
    place = f"bytes {first}-{first + len(body) - 1}/*"
    glacier.upload_multipart_part(**upload, range=place, body=body)
page = document("ListParts", **upload, limit="1")
assert page["Parts"][0]["RangeInBytes"] == "0-1048575" and page["Marker"]
page = document("ListParts", **upload, limit="1", marker=page["Marker"])
assert page["Parts"][0]["RangeInBytes"] == "1048576-1572863" and page["Marker"] is None
complete = {"archiveSize": str(len(whole)), "checksum": tree_hash}
status, headers, _ = fetch("CompleteMultipartUpload", **upload, **complete)
archive = headers["x-amz-archive-id"]
assert status == 201 and headers["x-amz-sha256-tree-hash"] == tree_hash
other = glacier.initiate_multipart_upload(**vault, partSize=str(MIB))["uploadId"]
assert fetch("AbortMultipartUpload", **vault, uploadId=other)[0] == 204
assert document("ListMultipartUploads", **vault) == {"Marker": None, "UploadsList": []}

# A job.
parameters = {"Type": "archive-retrieval", "ArchiveId": archive}
job = {**vault, "jobId": glacier.initiate_job(**vault, jobParameters=parameters)["jobId"]}
finished(glacier, "presigned", job["jobId"])
assert document("DescribeJob", **job)["StatusCode"] == "Succeeded"
[listed] = document("ListJobs", **vault, statuscode="Succeeded", completed="true")["JobList"]
assert listed["JobId"] == job["jobId"]
status, headers, body = fetch("GetJobOutput", **job)
assert (status, body) == (200, whole) and headers["x-amz-sha256-tree-hash"] == tree_hash
status, headers, body = fetch("GetJobOutput", **job, range=f"bytes={MIB}-{2 * MIB}")
assert (status, body) == (206, whole[MIB:])
assert headers["Content-Range"] == f"bytes {MIB}-{len(whole) - 1}/{len(whole)}"
assert fetch("DeleteArchive", **vault, archiveId=archive)[0] == 204

# What a vault is configured with.
glacier.add_tags_to_vault(**vault, Tags={"key": "value"})
assert document("ListTagsForVault", **vault) == {"Tags": {"key": "value"}}
config = {
    "SNSTopic": f"arn:aws:sns:{REGION}:{ACCOUNT}:topic", "Events": ["ArchiveRetrievalCompleted"],
}
glacier.set_vault_notifications(**vault, vaultNotificationConfig=config)
assert document("GetVaultNotifications", **vault) == config
assert fetch("DeleteVaultNotifications", **vault)[0] == 204
assert refused(404, "GetVaultNotifications", **vault) == "ResourceNotFoundException"
policy = {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Deny", "Principal": "*", "Action": "glacier:DeleteArchive",
    "Resource": arn_of("presigned"),
    "Condition": {"NumericLessThan": {"glacier:ArchiveAgeInDays": "1"}},
}]})}
glacier.set_vault_access_policy(**vault, policy=policy)
assert document("GetVaultAccessPolicy", **vault) == policy
assert fetch("DeleteVaultAccessPolicy", **vault)[0] == 204
glacier.initiate_vault_lock(**vault, policy=policy)
assert document("GetVaultLock", **vault)["State"] == "InProgress"
assert fetch("AbortVaultLock", **vault)[0] == 204
lock = glacier.initiate_vault_lock(**vault, policy=policy)["lockId"]
assert fetch("CompleteVaultLock", **vault, lockId=lock)[0] == 204
assert document("GetVaultLock", **vault)["State"] == "Locked"

# What an account is configured with.
rules = [{"Strategy": "None"}]
assert document("GetDataRetrievalPolicy") == {"Policy": {"Rules": rules}}
status, headers, _ = fetch("PurchaseProvisionedCapacity")
assert status == 201
[unit] = document("ListProvisionedCapacity")["ProvisionedCapacityList"]
assert unit["CapacityId"] == headers["x-amz-capacity-id"]

assert fetch("DeleteVault", **vault)[0] == 204
assert refused(404, "DescribeVault", **vault) == "ResourceNotFoundException"


def has_body(operation):
    members = model.operation_model(operation).input_shape.members.values()
    return any("location" not in shape.serialization for shape in members)


bodyless = {name for name in model.operation_names if not has_body(name)}
assert len(bodyless) == 24
assert used == bodyless, used ^ bodyless
print("done")
