import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { reasonText, sentence } from './reason-text.ts';

describe('reasonText', () => {
  test('is the message and those of the causes, without a stack', () => {
    const error = new Error('It is shut.', {
      cause: new Error('The key is lost', { cause: 'rain' }),
    });
    assert.equal(reasonText(error), 'It is shut. Cause: The key is lost. Cause: rain');
  });

  test('does not repeat a cause that the message tells', () => {
    assert.equal(
      reasonText(new Error('It is shut: rain', { cause: new Error('rain') })),
      'It is shut: rain',
    );
  });

  test('names an error that says nothing', () => {
    assert.equal(reasonText(new TypeError()), 'TypeError');
    assert.equal(reasonText('a string'), 'a string');
  });
});

test('a sentence ends with one full stop', () => {
  assert.equal(sentence('It rains'), 'It rains.');
  assert.equal(sentence('It rains.'), 'It rains.');
});
