"""boto3 beside the server under test, with its answers counted: so a tour can prove it is whole."""

import os
import time
from collections import Counter

import boto3
from botocore.config import Config

MIB = 1024 * 1024
ACCOUNT = os.environ["FIRN_ACCOUNT_ID"]
REGION = os.environ["AWS_DEFAULT_REGION"]

# How often each operation was answered with success.
answered = Counter()


def _count(http_response, model, **_):
    if http_response.status_code < 300:
        answered[model.name] += 1


def _counting(client):
    client.meta.events.register("after-call.glacier", _count)
    return client


def client(url=os.environ["FIRN_URL"], **config):
    return _counting(boto3.client("glacier", endpoint_url=url, config=Config(**config)))


def resource():
    made = boto3.resource("glacier", endpoint_url=os.environ["FIRN_URL"])
    _counting(made.meta.client)
    return made


def arn_of(vault):
    return f"arn:aws:glacier:{REGION}:{ACCOUNT}:vaults/{vault}"


def finished(glacier, vault, job_id):
    """The description of a job once it is completed."""
    deadline = time.monotonic() + 20
    while True:
        job = glacier.describe_job(vaultName=vault, jobId=job_id)
        if job["Completed"]:
            assert job["StatusCode"] == "Succeeded", job
            return job
        assert time.monotonic() < deadline, "the job does not complete"
        time.sleep(0.02)


def file_of(size, name):
    """The bytes of a new file."""
    data = os.urandom(size)
    with open(name, "wb") as file:
        file.write(data)
    return data


class Refused:
    """`with Refused(glacier.exceptions.X, "text"):` the block has to be answered with that."""

    def __init__(self, error, text=""):
        self.error, self.text = error, text

    def __enter__(self):
        return self

    def __exit__(self, kind, raised, _):
        assert kind is not None, f"{self.error.__name__} was not raised"
        if not issubclass(kind, self.error):
            return False
        if self.error.__name__ != "ClientError":
            assert raised.response["Error"]["Code"] == self.error.__name__, raised
        assert self.text in str(raised), raised
        return True
