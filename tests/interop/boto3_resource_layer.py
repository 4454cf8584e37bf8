"""boto3's resource layer: accounts, vaults, archives and jobs as objects."""

import json
import os
import time
import uuid

import boto3

ACCOUNT = os.environ["FIRN_ACCOUNT_ID"]
glacier = boto3.resource("glacier", endpoint_url=os.environ["FIRN_URL"])


def wait_for(job):
    deadline = time.monotonic() + 20
    while not job.completed:
        assert time.monotonic() < deadline, "the job does not complete"
        time.sleep(0.02)
        job.reload()
    return job


name = f"resource-{uuid.uuid4().hex}"
vault = glacier.create_vault(accountId="-", vaultName=name)
assert vault.name == name
vault = glacier.Vault(ACCOUNT, name)
assert vault.number_of_archives == 0
assert vault.vault_arn.endswith(f":vaults/{name}")

data = os.urandom(1_500_000)
archive = vault.upload_archive(archiveDescription="by the resource layer", body=data)
assert len(archive.id) == 138
vault.reload()
assert vault.number_of_archives == 1 and vault.size_in_bytes == len(data)

job = archive.initiate_archive_retrieval()
assert job.vault_name == name and len(job.id) == 92
wait_for(job)
assert job.action == "ArchiveRetrieval"
assert job.archive_id == archive.id
assert job.get_output()["body"].read() == data

inventory = wait_for(vault.initiate_inventory_retrieval())
listed = json.loads(inventory.get_output()["body"].read())
assert listed["ArchiveList"][0]["ArchiveId"] == archive.id
assert listed["ArchiveList"][0]["ArchiveDescription"] == "by the resource layer"

assert {each.id for each in vault.jobs.all()} == {job.id, inventory.id}
assert {each.id for each in vault.completed_jobs.all()} == {job.id, inventory.id}
assert {each.id for each in vault.succeeded_jobs.all()} == {job.id, inventory.id}
assert list(vault.failed_jobs.all()) == []
assert list(vault.jobs_in_progress.all()) == []
assert name in [each.name for each in glacier.vaults.all()]
account = glacier.Account("-")
assert name in [each.name for each in account.vaults.all()]

archive.delete()
vault.delete()
assert name not in [each.name for each in glacier.vaults.all()]
print("done")
