"""The calls of tools that describe infrastructure as code, in their order: terraform's two
resources, a vault and a vault's lock, as they are made, read, changed, lost and destroyed."""

import json
import time

from botocore.exceptions import ClientError
from counted_boto3 import ACCOUNT, REGION, Refused, arn_of, client

glacier = client()
errors = glacier.exceptions
gone = errors.ResourceNotFoundException
topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:glacier-sns-topic"


def named(vault):
    return {"accountId": "-", "vaultName": vault}


def policy_of(vault, **changes):
    statement = {
        "Sid": "cross-account-upload",
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["glacier:InitiateMultipartUpload", "glacier:AbortMultipartUpload"],
        "Resource": [arn_of(vault)],
        **changes,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def set_policy(vault, text):
    glacier.set_vault_access_policy(**named(vault), policy={"Policy": text})


def none_when_gone(deed, **parameters):
    try:
        return deed(**parameters)
    except gone:
        return None


def read(vault):
    """What a refresh reads: None when the vault is gone, and nothing of what is not set."""
    found = none_when_gone(glacier.describe_vault, **named(vault))
    if found is None:
        return None
    tags = glacier.list_tags_for_vault(**named(vault))["Tags"]
    policy = none_when_gone(glacier.get_vault_access_policy, **named(vault))
    config = none_when_gone(glacier.get_vault_notifications, **named(vault))
    return {
        "arn": found["VaultARN"],
        "tags": tags,
        "policy": policy and json.loads(policy["policy"]["Policy"]),
        "notification": config and config["vaultNotificationConfig"],
    }


# A bare vault.
location = glacier.create_vault(**named("basic"))["location"]
assert location == f"/{ACCOUNT}/vaults/basic"
bare = {"arn": arn_of("basic"), "tags": {}, "policy": None, "notification": None}
assert read("basic") == bare

# One with everything.
glacier.create_vault(**named("full"))
glacier.add_tags_to_vault(**named("full"), Tags={"key1": "value1", "key2": "value2"})
set_policy("full", policy_of("full"))
events = ["ArchiveRetrievalCompleted", "InventoryRetrievalCompleted"]
config = {"SNSTopic": topic, "Events": events}
glacier.set_vault_notifications(**named("full"), vaultNotificationConfig=config)
full = {
    "arn": arn_of("full"),
    "tags": {"key1": "value1", "key2": "value2"},
    "policy": json.loads(policy_of("full")),
    "notification": config,
}
assert read("full") == full

# Changes: removals come before additions.
glacier.remove_tags_from_vault(**named("full"), TagKeys=["key1", "key2"])
glacier.add_tags_to_vault(**named("full"), Tags={"key1": "value1updated"})
config = {**config, "Events": events[:1]}
glacier.set_vault_notifications(**named("full"), vaultNotificationConfig=config)
for changes in (
    # The same in other words.
    {"Action": "glacier:AbortMultipartUpload", "Resource": arn_of("full")},
    {"Principal": {"AWS": "*"}, "Sid": ""},
    {"Principal": {"AWS": ["*"]}},
    {"Principal": ["*"]},
    {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
    {"Principal": {"AWS": [ACCOUNT]}},
    {"Condition": {"StringEquals": {"glacier:ResourceTag/key1": ["value1updated"]}}},
):
    text = policy_of("full", **changes)
    set_policy("full", text)
    assert read("full") == {
        **full,
        "tags": {"key1": "value1updated"},
        "policy": json.loads(text),
        "notification": config,
    }
with Refused(errors.InvalidParameterValueException):
    set_policy("full", json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "glacier:*", "Resource": arn_of("full")},
    ]}))
for _ in range(2):
    glacier.remove_tags_from_vault(**named("full"), TagKeys=["key1"])
    glacier.delete_vault_access_policy(**named("full"))
    glacier.delete_vault_notifications(**named("full"))
assert read("full") == {**bare, "arn": arn_of("full")}

# Destroyed by terraform, or behind its back.
glacier.delete_vault(**named("full"))
assert read("full") is None
glacier.delete_vault(**named("full"))


def lock_policy(vault, **changes):
    # As the tool's own tests spell the key.
    condition = {"NumericLessThanEquals": {"glacier:ArchiveAgeinDays": "0"}}
    return policy_of(vault, **{
        "Sid": "", "Effect": "Deny", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "glacier:DeleteArchive", "Resource": arn_of(vault), "Condition": condition,
        **changes,
    })


def make_lock(vault, complete, **changes):
    policy = {"Policy": lock_policy(vault, **changes)}
    lock = glacier.initiate_vault_lock(**named(vault), policy=policy)["lockId"]
    if not complete:
        return
    glacier.complete_vault_lock(**named(vault), lockId=lock)
    deadline = time.monotonic() + 20
    while (state := glacier.get_vault_lock(**named(vault))["State"]) != "Locked":
        assert state == "InProgress" and time.monotonic() < deadline
        time.sleep(0.1)


def destroy_lock(vault):
    """False when the lock stays, which only a setting of the tool forgives."""
    try:
        glacier.abort_vault_lock(**named(vault))
    except gone:
        return True
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDeniedException", error
        return False
    return none_when_gone(glacier.get_vault_lock, **named(vault)) is None


# A lock on trial goes, and one without change is made anew.
assert none_when_gone(glacier.get_vault_lock, **named("basic")) is None
for principal in ({"AWS": "*"}, "*", {"AWS": [ACCOUNT]}):
    make_lock("basic", False, Principal=principal)
    lock = glacier.get_vault_lock(**named("basic"))
    assert lock["State"] == "InProgress" and lock["CreationDate"] < lock["ExpirationDate"]
    assert json.loads(lock["Policy"]) == json.loads(lock_policy("basic", Principal=principal))
    assert destroy_lock("basic")
assert destroy_lock("basic")

# One that was completed stays for as long as its vault does.
make_lock("basic", True)
assert not destroy_lock("basic")
assert glacier.get_vault_lock(**named("basic"))["State"] == "Locked"
assert read("basic") == bare
glacier.delete_vault(**named("basic"))
assert none_when_gone(glacier.get_vault_lock, **named("basic")) is None
assert destroy_lock("basic")

# A sweep takes the notifications of each vault away, and then the vault itself.
for vault in ("swept-1", "swept-2"):
    glacier.create_vault(**named(vault))
    glacier.set_vault_notifications(**named(vault), vaultNotificationConfig=config)
for page in glacier.get_paginator("list_vaults").paginate(accountId="-"):
    for each in page["VaultList"]:
        glacier.delete_vault_notifications(**named(each["VaultName"]))
        glacier.delete_vault(**named(each["VaultName"]))
assert glacier.list_vaults(accountId="-")["VaultList"] == []
print("done")
