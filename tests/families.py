"""Configurations of small language models of every family that is tested: 2 to 6 layers, 32 to 64 wide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import transformers as hf

WINDOW = 8
"""Of all that have windows or chunks: shorter than the rows."""

V = {"vocab_size": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
M = V | {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 256,
}
G = M | {"num_key_value_heads": 2}
H = G | {"head_dim": 8}
GPT = V | {"n_embd": 32, "n_layer": 2, "n_head": 4}
LINEAR = {
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
}
EXPERTS = {"num_experts": 4, "moe_intermediate_size": 16}

SHARED: dict[str, Callable[[], Any]] = {
    "LLaMA": lambda: hf.LlamaConfig(**G),
    "Llama 4 (chunks)": lambda: hf.Llama4TextConfig(
        **H,
        intermediate_size_mlp=64,
        num_local_experts=2,
        attention_chunk_size=WINDOW,
        layer_types=["chunked_attention", "full_attention"],
        no_rope_layers=[1, 0],
    ),
    "Mistral": lambda: hf.MistralConfig(**G, sliding_window=None),
    "Mistral (window)": lambda: hf.MistralConfig(**G, sliding_window=WINDOW),
    "Mixtral (window)": lambda: hf.MixtralConfig(**G, sliding_window=WINDOW, num_local_experts=4),
    "Ministral 3": lambda: hf.Ministral3Config(**H),
    "Qwen 2": lambda: hf.Qwen2Config(**G),
    "Qwen 2 (window)": lambda: hf.Qwen2Config(
        **G, use_sliding_window=True, sliding_window=WINDOW, max_window_layers=1
    ),
    "Qwen 2 MoE": lambda: hf.Qwen2MoeConfig(**G, **EXPERTS, shared_expert_intermediate_size=16),
    "Qwen 3": lambda: hf.Qwen3Config(**H),
    "Qwen 3 MoE": lambda: hf.Qwen3MoeConfig(**H, **EXPERTS, num_experts_per_tok=2),
    "SmolLM 3": lambda: hf.SmolLM3Config(**G),
    "Phi": lambda: hf.PhiConfig(**G),
    "Phi 3": lambda: hf.Phi3Config(**G),
    "Phi 3 (window)": lambda: hf.Phi3Config(**G, sliding_window=WINDOW),
    "Gemma": lambda: hf.GemmaConfig(**H),
    "Gemma 2 (soft cap, window)": lambda: hf.Gemma2Config(
        **H, query_pre_attn_scalar=8, attn_logit_softcapping=1.0, sliding_window=WINDOW
    ),
    "Gemma 3 (window)": lambda: hf.Gemma3TextConfig(
        **H,
        query_pre_attn_scalar=8,
        sliding_window=WINDOW,
        layer_types=["sliding_attention", "full_attention"],
    ),
    "gpt-oss (sinks, window)": lambda: hf.GptOssConfig(
        **H, num_local_experts=4, num_experts_per_tok=2, sliding_window=WINDOW, rope_parameters=ROPE
    ),
    "GPT-NeoX": lambda: hf.GPTNeoXConfig(**M),
    "GPT-2": lambda: hf.GPT2Config(**GPT),
    "GPT-J": lambda: hf.GPTJConfig(**GPT, rotary_dim=4),
    "CodeGen": lambda: hf.CodeGenConfig(**GPT, rotary_dim=4),
    "GPTBigCode": lambda: hf.GPTBigCodeConfig(**GPT),
    "OPT": lambda: hf.OPTConfig(
        **V,
        hidden_size=32,
        ffn_dim=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        word_embed_proj_dim=32,
        max_position_embeddings=256,
    ),
    "BioGPT": lambda: hf.BioGptConfig(**M),
    "XGLM": lambda: hf.XGLMConfig(**V, d_model=32, num_layers=2, attention_heads=4, ffn_dim=64),
    "Granite": lambda: hf.GraniteConfig(**G),
    "OLMo 2": lambda: hf.Olmo2Config(**G),
    "OLMo 3 (window)": lambda: hf.Olmo3Config(
        **G, sliding_window=WINDOW, layer_types=["sliding_attention", "full_attention"]
    ),
    "Cohere 2 (window)": lambda: hf.Cohere2Config(
        **G, sliding_window=WINDOW, layer_types=["sliding_attention", "full_attention"]
    ),
    "Starcoder 2 (window)": lambda: hf.Starcoder2Config(**G, sliding_window=WINDOW),
    "StableLM": lambda: hf.StableLmConfig(**G),
    "GLM 4": lambda: hf.Glm4Config(**H),
    "Persimmon": lambda: hf.PersimmonConfig(**M),
    "Falcon": lambda: hf.FalconConfig(**V, hidden_size=32, num_hidden_layers=2, num_attention_heads=4),
    "DeepSeek 3": lambda: hf.DeepseekV3Config(
        **M,
        num_key_value_heads=4,
        n_routed_experts=4,
        n_group=2,
        topk_group=1,
        num_experts_per_tok=2,
        moe_intermediate_size=16,
        q_lora_rank=8,
        kv_lora_rank=8,
        qk_nope_head_dim=4,
        qk_rope_head_dim=4,
        v_head_dim=8,
        first_k_dense_replace=1,
    ),
}
"""Several questions in one row give what each gives alone."""

ALONE: dict[str, Callable[[], Any]] = {
    "Qwen 3.5 (linear attention)": lambda: hf.Qwen3_5TextConfig(
        **H, **LINEAR, layer_types=["linear_attention", "full_attention"]
    ),
    "LFM 2 (convolutions)": lambda: hf.Lfm2Config(**G, layer_types=["conv", "full_attention"]),
    "Mamba": lambda: hf.MambaConfig(**V, hidden_size=32, num_hidden_layers=2),
    "Mamba 2": lambda: hf.Mamba2Config(
        **V,
        hidden_size=32,
        num_hidden_layers=2,
        num_heads=8,
        head_dim=8,
        state_size=8,
        n_groups=1,
        chunk_size=16,
    ),
    "Jamba": lambda: hf.JambaConfig(
        **G,
        num_experts=2,
        use_mamba_kernels=False,
        attn_layer_period=2,
        attn_layer_offset=1,
        expert_layer_period=2,
        expert_layer_offset=1,
    ),
    "Falcon H1": lambda: hf.FalconH1Config(
        **H,
        mamba_d_ssm=32,
        mamba_n_heads=4,
        mamba_d_head=8,
        mamba_d_state=8,
        mamba_n_groups=1,
        mamba_chunk_size=16,
    ),
    "RecurrentGemma": lambda: hf.RecurrentGemmaConfig(
        **(M | {"num_hidden_layers": 3}), num_key_value_heads=1, lru_width=32, attention_window_size=WINDOW
    ),
    "Bloom (ALiBi)": lambda: hf.BloomConfig(**V, hidden_size=32, n_layer=2, n_head=4),
    "MPT (ALiBi)": lambda: hf.MptConfig(**V, d_model=32, n_layers=2, n_heads=4),
    "GPT-Neo (local attention)": lambda: hf.GPTNeoConfig(
        **V,
        hidden_size=32,
        intermediate_size=64,
        num_layers=2,
        num_heads=4,
        attention_types=[[["global", "local"], 1]],
        window_size=WINDOW,
    ),
    "BART (decoder)": lambda: hf.BartConfig(
        **V, d_model=32, decoder_layers=2, decoder_attention_heads=4, decoder_ffn_dim=32, is_decoder=True
    ),
}
"""One question a row gives what transformers gives; several do not."""

REFUSED: dict[str, Callable[[], Any]] = {
    "Gemma 3n": lambda: hf.Gemma3nTextConfig(
        **(H | {"num_hidden_layers": 6}),
        vocab_size_per_layer_input=64,
        hidden_size_per_layer_input=8,
        num_kv_shared_layers=2,
        sliding_window=WINDOW,
        laurel_rank=8,
        activation_sparsity_pattern=[0.0] * 6,
        layer_types=["sliding_attention", "sliding_attention", "full_attention"] * 2,
    ),
    "Falcon (ALiBi)": lambda: hf.FalconConfig(
        **V, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, alibi=True
    ),
}
"""An error."""

ROPE = {"rope_type": "default", "rope_theta": 10000.0}
