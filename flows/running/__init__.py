"""Solving a flow: integrated from sample to sample or stepped, watched for failure, measured."""
